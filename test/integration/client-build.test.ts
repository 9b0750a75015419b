import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { buildClient } from "../../scripts/build-client.ts";
import { ROOT, runNode } from "../../scripts/run.ts";

const MAX_BYTES = 6 * 1024;

describe("the client library, built", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "clawkit-client-"));
    await buildClient(join(folder, "client"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("is one file that needs nothing and takes less than 6 KB, compressed", async (t) => {
    const text = await readFile(join(folder, "client/index.js"), "utf8");
    const { length } = gzipSync(text, { level: 9 });
    t.diagnostic(`${length} bytes`);
    assert.ok(length < MAX_BYTES, `${length} bytes`);
    assert.doesNotMatch(text, /\b(import|require)\b/);
  });

  it("is a module of Node", async () => {
    const names = Object.keys(await import(pathToFileURL(join(folder, "client/index.js")).href));
    assert.deepEqual(names.sort(), ["ClientSocket", "GapEvent"]);
  });

  for (const [where, flags] of [
    ["a page", ["--lib", "es2022,dom"]],
    ["Node", ["--lib", "es2022", "--types", "node", "--typeRoots", join(ROOT, "node_modules/@types")]],
  ] as const) {
    it(`has types for ${where}`, async () => {
      const program = join(folder, `program-${where.replace(" ", "-")}.mts`);
      await writeFile(
        program,
        `import { ClientSocket, type GapEvent } from "./client/index.js";
const socket = new ClientSocket("ws://server", [], { hello: ({ nonce, ts }) => ({ signed: nonce.length + ts }) });
socket.onmessage = ({ data }) => socket.send(data);
const onGap = ({ reason }: GapEvent) => reason.length;
socket.addEventListener("gap", onGap, { once: true });
socket.removeEventListener("gap", onGap);
const token: string | undefined = socket.hello?.auth?.deviceToken;
const plain: WebSocket = socket;
// @ts-expect-error: there is no such option
new ClientSocket("ws://server", [], { retries: 3 });
`,
      );
      const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
      const options = ["--ignoreConfig", "--strict", "--noEmit", "--module", "nodenext"];
      assert.equal(await runNode([compiler, ...options, ...flags, program]), 0);
    });
  }

  it("is where the manifest says", async () => {
    const { exports } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
    for (const path of Object.values(exports["./client"]))
      await readFile(join(folder, (path as string).replace("./dist/", "")));
  });
});
