import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { collect, ROOT } from "../helpers/clawkit.ts";
import { whyNoNamespaces } from "../helpers/network.ts";
import { jsonLines } from "../helpers/results.ts";
import type { Storm } from "../network/storm.ts";

const CLIENTS = 1_000;

/** On a machine that may be busy with other tests; a second or two on one that is not. */
const BACK_MS = 20_000;

test(`${CLIENTS} clients come back when their edge was killed: none is refused, the accept queue never overflows`, {
  skip: process.env.CI ? false : whyNoNamespaces(),
  timeout: 120_000,
}, async (t) => {
  const script = join(ROOT, "test/network/storm.ts");
  const { code, stdout, stderr } = await collect(
    spawn("unshare", ["--net", process.execPath, script, `${CLIENTS}`]),
  );
  assert.equal(code, 0, stderr);
  const storms = jsonLines<Storm>(stdout);
  assert.deepEqual(
    storms.map(({ spreadMs }) => spreadMs),
    [1_000, 0],
  );
  for (const { spreadMs, backAfterMs, failures, overflows } of storms) {
    t.diagnostic(`spread over ${spreadMs} ms: the last is back after ${(backAfterMs / 1_000).toFixed(2)} s`);
    assert.deepEqual(failures, {}, `spread over ${spreadMs} ms`);
    assert.deepEqual(new Set(Object.values(overflows)), new Set([0]), JSON.stringify(overflows));
    assert.ok(backAfterMs < BACK_MS, `${backAfterMs} ms`);
  }
});
