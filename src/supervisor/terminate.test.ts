import assert from "node:assert/strict";
import { test } from "node:test";
import { Child } from "./child.ts";
import { terminate } from "./terminate.ts";

/** Says what it does with signals; ends when asked for the `nth` time. */
function deafUntil(nth: number): { child: Child; ready: Promise<void> } {
  const ready = Promise.withResolvers<void>();
  const script = `let asked = 0; process.on("SIGTERM", () => ++asked === ${nth} && process.exit(0)); console.log("here"); setInterval(() => {}, 1000)`;
  const child = new Child({
    command: process.execPath,
    args: ["-e", script],
    env: process.env,
    ipc: false,
    ownGroup: true,
    sendSignal: (pid, signal) => {
      try {
        return process.kill(pid, signal);
      } catch {
        return false; // it is gone
      }
    },
    onLine: () => ready.resolve(),
  });
  return { child, ready: ready.promise };
}

// OpenClaw 2026.9.6: "received SIGTERM during shutdown; ignoring", while it restarts in its process; then it runs on
test("a SIGTERM that was ignored is sent again where that is asked for", async () => {
  const { child, ready } = deafUntil(3);
  await ready;
  await terminate(child, { graceMs: 30_000, repeatMs: 20 });
  assert.deepEqual([(await child.ended).code, (await child.ended).signal], [0, null]);
});

test("elsewhere once: a second one means at once to many programs", async () => {
  const { child, ready } = deafUntil(2);
  await ready;
  await terminate(child, { graceMs: 200 });
  assert.equal((await child.ended).signal, "SIGKILL");
});
