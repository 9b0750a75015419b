import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { machineWith } from "../../../test/helpers/machine.ts";
import { localTarget } from "../target.ts";
import { openclawLogs, readLog } from "./openclaw-logs.ts";

const fixture = (name: string) =>
  readFile(new URL(`../../../test/fixtures/openclaw/${name}`, import.meta.url), "utf8");

/** The port and the config of the fixtures. */
const MACHINE = machineWith({
  target: localTarget(19789, false),
  openclawConfigPath: "/home/u/.openclaw/openclaw.json",
});

const read = (text: string) =>
  readLog(text, { path: "/log", at: Date.parse("2026-11-22T20:00:00Z") }, MACHINE);

/** The ids of what a log says. */
const said = (text: string) => read(text).map(({ id }) => id);

describe("readLog on lines of OpenClaw 2026.9.6", () => {
  test("finds nothing but its last line in a gateway that runs", async () => {
    assert.deepEqual(read(await fixture("running.log")), [
      {
        id: "log-ends-mid-life",
        detail: "its last line: remote model catalog refresh failed",
        source: "/log",
        at: "2026-11-22T19:31:55.236+00:00",
      },
    ]);
  });

  test("sees a stop that was asked for", async () => {
    assert.deepEqual(said(await fixture("stopped.log")), ["log-says-shutdown"]);
  });

  test("sees a start that was refused, with its time", async () => {
    const [fact] = read(await fixture("mode-missing.log"));
    assert.deepEqual(
      [fact?.id, fact?.source, fact?.at],
      ["start-blocked-said", "/log", "2026-11-22T19:32:47.351+00:00"],
    );
    assert.match(fact?.detail ?? "", /existing config is missing gateway\.mode/);
  });

  test("sees the key that was rejected, and nothing of the life before", async () => {
    const facts = read(await fixture("key-rejected.log"));
    const ids = facts.map(({ id }) => id);
    assert.ok(ids.includes("config-key-said"), ids.join());
    assert.ok(!ids.includes("start-blocked-said"), ids.join());
    const rejected = facts.find(({ id }) => id === "config-key-said");
    assert.match(rejected?.detail ?? "", /gateway: Unrecognized key: "bogus"/);
  });

  test("sees the same in what the start printed", async () => {
    const ids = said(await fixture("key-rejected-console.txt"));
    assert.ok(ids.includes("config-key-said"), ids.join());
  });
});

describe("readLog", () => {
  const line = (level: string, message: string) =>
    `${JSON.stringify({ message, time: "2026-11-22T12:00:00.000Z", _meta: { logLevelName: level } })}\n`;

  // all gateways of a user write to one folder
  test("passes over the life of a gateway with another port, or another config", async () => {
    const text = line("INFO", "loading configuration…") + line("ERROR", "EADDRINUSE: 127.0.0.1:19789");
    assert.ok(read(text).length > 0);
    const other = { ...MACHINE, target: localTarget(29_999, false) };
    assert.deepEqual(readLog(text, { path: "/log", at: 0 }, other), []);
    const rejected = await fixture("key-rejected.log");
    const elsewhere = { ...MACHINE, openclawConfigPath: "/home/other/.openclaw/openclaw.json" };
    assert.deepEqual(readLog(rejected, { path: "/log", at: 0 }, elsewhere), []);
  });

  test("takes no word of a line that tells of no trouble", () => {
    const text = "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory";
    assert.deepEqual(said(line("INFO", text)), []);
    assert.deepEqual(said(line("ERROR", text)), ["heap-oom-said"]);
  });

  test("passes over half a line, and lines of nothing", async () => {
    const text = await fixture("mode-missing.log");
    assert.deepEqual(said(`elName":"ERROR"}\n\n{"message":"cut of${"\n"}${text}`), said(text));
  });

  test("shows no secret", () => {
    const text = line("INFO", "loading configuration…") + line("ERROR", "EADDRINUSE token=abcdefgh12345678");
    assert.doesNotMatch(JSON.stringify(read(text)), /abcdefgh12345678/);
  });

  test("finds a life's beginning in a plain log, and trouble before it is ready", () => {
    const text = [
      "2026-11-22T12:00:00.000+00:00 [gateway] loading configuration…",
      "2026-11-22T12:00:00.100+00:00 [gateway] starting...",
      '2026-11-22T12:00:00.200+00:00 openclaw.json:1 — gateway: Unrecognized key: "bogus"',
      "2026-11-22T12:00:00.300+00:00 [gateway] starting channels and sidecars...",
    ];
    assert.ok(said(text.join("\n")).includes("config-key-said"));
  });

  test("finds nothing in nothing, in bytes that are no text, and in JSON of others", () => {
    for (const text of ["", "\n\n", "\0\x01\x02", '{"a":1}\n{"message":5,"time":6}\nnull\n[]\n']) {
      assert.deepEqual(said(text), [], JSON.stringify(text));
    }
  });
});

describe("the log files", () => {
  /** A home with OpenClaw's state, and a machine that looks at it now. */
  async function withLogs(t: TestContext) {
    const home = await mkdtemp(join(tmpdir(), "clawkit-logs-"));
    t.after(() => rm(home, { recursive: true }));
    const dir = join(home, ".openclaw");
    const config = join(dir, "openclaw.json");
    const write = async (path: string, text: string, at = new Date()) => {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
      await utimes(path, at, at);
    };
    const machine = machineWith({
      openclawDirs: [dir],
      openclawConfigPath: config,
      sharedLogDirs: [join(home, "openclaw")],
      clock: { now: () => performance.now(), wall: () => Date.now() },
    });
    const look = () => openclawLogs.look(machine);
    return { log: join(home, "openclaw", "openclaw-2026-11-22.log"), dir, config, write, look };
  }

  test("of today are read, wherever they are", async (t) => {
    const { log, dir, write, look } = await withLogs(t);
    await write(log, await fixture("mode-missing.log"), new Date(Date.now() - 60_000));
    const ids = (await look()).map(({ id }) => id);
    assert.ok(ids.includes("start-blocked-said"), ids.join());
    await write(join(dir, "logs", "gateway.log"), await fixture("stopped.log"));
    assert.deepEqual(
      (await look()).map(({ id }) => id),
      ["log-says-shutdown"],
    );
  });

  test("of the day before yesterday say nothing of now", async (t) => {
    const { log, write, look } = await withLogs(t);
    await write(log, await fixture("mode-missing.log"), new Date(Date.now() - 48 * 3_600_000));
    assert.deepEqual(await look(), []);
  });

  test("say nothing of a config that was changed since", async (t) => {
    const { log, config, write, look } = await withLogs(t);
    await write(log, await fixture("mode-missing.log"));
    await write(config, "{}", new Date("2026-11-22T19:32:00Z"));
    assert.ok((await look()).some(({ id }) => id === "start-blocked-said"));
    await write(config, "{}", new Date("2026-11-22T19:40:00Z"));
    assert.ok(!(await look()).some(({ id }) => id === "start-blocked-said"));
  });

  test("of gigabytes are told of, and only their ends are read", async (t) => {
    const { log, write, look } = await withLogs(t);
    await write(log, "");
    await truncate(log, 1.5 * 1024 ** 3); // takes no room
    assert.deepEqual(await look(), [{ id: "log-large", detail: "it is 1.5 GB large", source: log }]);
  });

  test("are nobody's where there is no OpenClaw", async () => {
    assert.deepEqual(await openclawLogs.look(machineWith()), []);
  });
});
