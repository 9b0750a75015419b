import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { findOnPath } from "./path-search.ts";

test("files of a PATH in its order; none of the folder somebody stands in, and no folder of that name", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "clawkit-path-"));
  t.after(() => rm(folder, { recursive: true }));
  const [first, second, odd] = ["a", "b", "c"].map((name) => join(folder, name)) as [string, string, string];
  for (const path of [first, second, join(odd, "tool")]) await mkdir(path, { recursive: true });
  for (const path of [first, second]) await writeFile(join(path, "tool"), "");
  const path = ["", ".", second, odd, first, second].join(delimiter);
  assert.deepEqual(await findOnPath("tool", path), [join(second, "tool"), join(first, "tool")]);
  assert.deepEqual(await findOnPath("package.json", `${delimiter}.`), []);
  assert.deepEqual(await findOnPath("tool", undefined), []);
});
