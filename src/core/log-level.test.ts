import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { isAtLeast, levelOf } from "./log-level.ts";
import { type LogStream, parseLogLine } from "./log-line.ts";

const fixture = (name: string) =>
  readFileSync(new URL(`../../test/fixtures/openclaw/${name}`, import.meta.url), "utf8")
    .trimEnd()
    .split("\n");

const lines: [stream: LogStream, text: string, level: string][] = [
  // ours
  ["end", "gateway ended: killed by SIGKILL (generation 1, pid 12)", "error"],
  ["end", "gateway ended: exited with code 0 (generation 1, pid 12)", "error"],
  ["end", "edge ended: it did not answer its supervisor, SIGKILL (pid 12)", "error"],
  ["end", "gateway ended: asked by its operator, exit code 0 (generation 1, pid 12)", "info"],
  ["end", "control ended: nobody looked at the console any more, exit code 0 (pid 12)", "info"],
  ["log", "gateway ended: killed by SIGKILL; starting again at once", "error"],
  ["log", "gateway ended: asked by its operator; stopped", "info"],
  [
    "log",
    "why the gateway ended (generation 1): it was killed by SIGKILL [killed-by-signal, confirmed]",
    "error",
  ],
  ["log", "gateway ready: generation 2", "info"],
  ["log", "ending the gateway: hung (idle) for 30 s", "warn"],
  ["out", "gateway does not answer (idle) for 8 s: holding new clients", "warn"],
  ["out", "client 192.0.2.7 is unreachable: no answer to a ping", "warn"],
  ["out", "telling 3 clients 1012: gateway restarting, reconnect now", "info"],
  // JavaScript and V8
  ["err", "TypeError: fetch failed", "error"],
  ["err", "    at processTicksAndRejections (node:internal/process/task_queues:105:5)", "error"],
  [
    "err",
    "2026-02-03T01:52:13.791Z [clawdbot] Unhandled promise rejection: TypeError: fetch failed",
    "error",
  ],
  ["err", "FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed", "error"],
  ["err", "<--- Last few GCs --->", "error"],
  ["err", "Error: listen EADDRINUSE: address already in use 127.0.0.1:18789", "error"],
  ["err", "(node:12) [DEP0040] DeprecationWarning: The `punycode` module is deprecated.", "warn"],
  ["err", "(Use `node --trace-deprecation ...` to show where the warning was created)", "warn"],
  // OpenClaw on a console
  ["out", "2026-11-22T19:33:09.540+00:00 [gateway] starting...", "info"],
  [
    "err",
    "2026-11-22T19:33:11.319+00:00 Gateway failed to start: Invalid config at /home/u/.openclaw/openclaw.json:",
    "error",
  ],
  [
    "out",
    "[diagnostic] liveness warning: reasons=event_loop_delay interval=30s eventLoopDelayP99Ms=9806.3",
    "warn",
  ],
  ["out", '[diagnostic] lane task error: lane=main durationMs=12 error="x"', "error"],
  ["out", "[WARN ] Gateway process exited (code=1, expected=no)", "warn"],
  ["out", "[ERROR] Gateway process exited before ready (code=1)", "error"],
  // other programs
  ["out", '{"level":50,"time":1,"msg":"no"}', "error"],
  ["out", '{"level":30,"time":1,"msg":"error: none"}', "info"],
  ["out", '{"severity":"WARNING","message":"x"}', "warn"],
  ["out", '{"ok":false,"error":"no such page"}', "info"],
  ["err", 'time="2026-11-22T19:33:08Z" level=info msg="Starting up"', "info"],
  ["err", "INFO:     Uvicorn running on http://127.0.0.1:8000", "info"],
  ["out", "2026-11-22 19:33:08,953 ERROR app: it is broken", "error"],
  ["err", "npm ERR! code ELIFECYCLE", "error"],
  ["err", "Segmentation fault (core dumped)", "error"],
  // words that only look like it
  ["out", "0 errors, 3 warnings", "info"],
  ["out", "last error: none", "info"],
  ["out", "error handling is on", "info"],
  ["out", "GET /errors/ERRORS 200", "info"],
  ["err", "listening on 8080", "warn"],
];

describe("how serious a line is", () => {
  for (const [stream, text, level] of lines) {
    test(`${level}: ${stream} ${text}`, () => assert.equal(levelOf({ time: "", stream, text }), level));
  }

  for (const [name, worst] of [
    ["running.log", "warn"],
    ["key-rejected.log", "error"],
    ["mode-missing.log", "error"],
  ] as const) {
    test(`OpenClaw's own word for it, in ${name}`, () => {
      for (const text of fixture(name)) {
        const own = (JSON.parse(text) as { _meta: { logLevelName: string } })._meta.logLevelName;
        assert.equal(levelOf({ time: "", stream: "out", text }), own.toLowerCase());
      }
      assert.ok(fixture(name).some((text) => levelOf({ time: "", stream: "out", text }) === worst));
    });
  }

  test("a line of the file says the same", () => {
    const line = parseLogLine(
      "2026-11-22T10:00:00.000Z end gateway ended: killed by SIGTERM (generation 3, pid 9)",
    );
    assert.equal(levelOf(line!), "error");
  });

  test("warn means warn and error", () => {
    assert.deepEqual(
      (["error", "warn", "info"] as const).map((level) => isAtLeast(level, "warn")),
      [true, true, false],
    );
  });
});
