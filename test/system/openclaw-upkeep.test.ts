import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { ActingOpenclaw } from "../helpers/acting-openclaw.ts";
import { TestClawkit } from "../helpers/clawkit.ts";
import { ask } from "../helpers/http.ts";

// How an OpenClaw is kept up, tried with a stand-in that does at once what the real one does after minutes.

/** Far below the 330 s that OpenClaw is given for its work. */
const SOON_MS = 30_000;

async function running(
  t: TestContext,
  files: Readonly<Record<string, string>> = {},
  supervisor: object = {},
) {
  const openclaw = await ActingOpenclaw.create(files);
  const clawkit = await TestClawkit.create({ gateway: { upstream: openclaw.upstream() }, supervisor });
  t.after(async () => {
    await clawkit[Symbol.asyncDispose]();
    await openclaw[Symbol.asyncDispose]();
  });
  await clawkit.runForeground();
  return { clawkit, openclaw };
}

describe("an OpenClaw behind the edge", { concurrency: 2, timeout: 4 * SOON_MS }, () => {
  // /readyz looks at the channels too: with a revoked bot token it answers 503 for ever, and nobody was let in, and a
  // gateway that worked was restarted every five minutes (OpenClaw's docs/gateway/health.md: /startupz ignores channels)
  test("serves its clients while one of its channels is down", async (t) => {
    const { clawkit } = await running(t, { "channel-down": "" }, { startTimeoutSec: 10 });
    assert.equal((await clawkit.ready()).state, "healthy");
    assert.equal((await ask(clawkit.port, "/readyz")).status, 503);
  });
});
