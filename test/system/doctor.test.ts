import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { statePaths } from "../../src/config/paths.ts";
import type { LedgerEntry } from "../../src/diagnosis/remedies/ledger.ts";
import { collect, TestClawkit } from "../helpers/clawkit.ts";
import { CommandLine } from "../helpers/command-line.ts";
import { isAlive, needsProc, processesOf, untilGone } from "../helpers/processes.ts";
import { Random } from "../helpers/random.ts";
import { exits, json } from "../helpers/results.ts";

const KILLS = 20;

/** Large enough that writing it takes a while. */
const PADDING = `/* ${"a comment that fills the file\n".repeat(20_000)} */\n`;

/** From the word that the config is being restored until it is, and the gateway starts. */
const REPAIR_MS = 40;

/** From a doctor's start until it is done. */
const WHOLE_MS = 2_500;

async function killAll(stateDir: string): Promise<void> {
  const pids = (await processesOf(stateDir)).map(({ pid }) => pid);
  for (const pid of pids) process.kill(pid, "SIGKILL");
  await untilGone(pids);
}

/** Kills a doctor: at any time of its life, or (mostly) while it repairs. */
async function killDoctor(clawkit: TestClawkit, random: Random): Promise<void> {
  const child = clawkit.spawnCli("doctor", "--fix", "--yes");
  const ended = collect(child);
  const isEarly = random.chance(0.3);
  if (!isEarly) await Promise.race([once(child.stderr!, "data"), ended]);
  await new Promise((resolve) => setTimeout(resolve, random.below(isEarly ? WHOLE_MS : REPAIR_MS)));
  child.kill("SIGKILL");
  await ended;
}

describe("doctor --fix", { skip: needsProc }, () => {
  test(`killed with -9 at ${KILLS} moments leaves the config as it was or as it should be`, async (t) => {
    const seed = Date.now();
    t.diagnostic(`seed ${seed}`);
    const random = new Random(seed);
    await using clawkit = await TestClawkit.create();
    const { config, lastValidConfig } = statePaths(clawkit.stateDir);
    const valid = PADDING + (await readFile(config, "utf8"));
    const broken = `${PADDING}{ gateway: {\r\n`;
    await writeFile(lastValidConfig, valid, { mode: 0o600 });

    const left = { broken: 0, valid: 0 };
    for (let round = 0; round < KILLS; round++) {
      await writeFile(config, broken);
      await killDoctor(clawkit, random);
      const found = await readFile(config, "utf8");
      assert.ok(found === broken || found === valid, `${found.length} bytes of neither`);
      left[found === broken ? "broken" : "valid"]++;
      json<LedgerEntry[]>(await exits(0, clawkit.cli("doctor", "undo", "--list", "--json")));
      await killAll(clawkit.stateDir);
    }
    t.diagnostic(`left broken ${left.broken} times, valid ${left.valid} times`);

    await writeFile(config, broken);
    await exits(0, clawkit.cli("doctor", "--fix", "--yes"));
    assert.equal(await readFile(config, "utf8"), valid);
    assert.equal((await clawkit.status()).state, "healthy");
    await exits(0, clawkit.cli("doctor", "undo"));
    assert.equal(await readFile(config, "utf8"), broken);
  });

  test("ended by Ctrl-C while it starts the gateway leaves nothing that a second try does not mend", async () => {
    await using clawkit = await TestClawkit.create();
    const config = await readFile(clawkit.configPath);
    const child = clawkit.spawnCli("doctor", "--fix");
    const ended = collect(child);
    await once(child.stderr!, "data"); // what it is about to do
    child.kill("SIGINT");
    await ended;
    assert.deepEqual(await readFile(clawkit.configPath), config);
    await exits(0, clawkit.cli("doctor", "--fix"));
    assert.equal((await clawkit.status()).state, "healthy");
  });
});

/** Says nothing, as a gateway that hangs does. */
const SILENT = `require("net").createServer((socket) => socket.resume())
  .listen(Number(process.env.PORT), "127.0.0.1", () => console.log("on"));`;

describe("doctor --fix --yes never ends a foreign program on the port", {
  concurrency: 2,
  skip: needsProc,
}, () => {
  /** Starts a program there; resolves once it listens. */
  async function listens(t: TestContext, child: ChildProcess): Promise<ChildProcess> {
    t.after(() => child.kill("SIGKILL"));
    await once(child.stdout!, "data");
    return child;
  }

  type Start = (line: CommandLine, env: NodeJS.ProcessEnv) => Promise<ChildProcess> | ChildProcess;
  const stdio: ["ignore", "pipe", "inherit"] = ["ignore", "pipe", "inherit"];
  const titled = `process.title = "openclaw-gateway"; ${SILENT}`;

  const programs: [what: string, start: Start, skip?: string | false][] = [
    ["a Node with a gateway's title", (_, env) => spawn(process.execPath, ["-e", titled], { env, stdio })],
    [
      "another user's, with a gateway's title",
      (_, env) => spawn(process.execPath, ["-e", titled], { env, stdio, uid: 65_534, gid: 65_534 }),
      process.getuid?.() !== 0 && "only root can be another user",
    ],
    [
      "a program under the name of a gateway",
      (_, env) => spawn(process.execPath, ["-e", SILENT], { argv0: "openclaw-gateway", env, stdio }),
    ],
    [
      "a project in a folder of the name, called as a gateway is",
      async ({ home }, env) => {
        const script = join(home, "src", "openclaw", "server.cjs");
        await mkdir(dirname(script), { recursive: true });
        await writeFile(script, SILENT);
        return spawn(process.execPath, [script, "gateway", "run"], { env, stdio });
      },
    ],
    [
      "one that has OpenClaw's entry point as an argument",
      (_, env) => {
        const entry = "/usr/lib/node_modules/openclaw/dist/index.js";
        return spawn(process.execPath, ["-e", SILENT, "--", entry, "gateway"], { env, stdio });
      },
    ],
    [
      "one whose pid is in a lock of OpenClaw, with another start time",
      async ({ home }, env) => {
        const child = spawn(process.execPath, ["-e", titled], { env, stdio });
        const folder = join(home, ".openclaw", "tmp", "openclaw-0");
        await mkdir(folder, { recursive: true });
        const lock = { pid: child.pid, startTime: 1, createdAt: "2026-11-22T12:00:00.000Z", port: 1 };
        await writeFile(join(folder, "gateway.1.lock"), JSON.stringify(lock));
        return child;
      },
    ],
  ];

  for (const [what, start, skip = false] of programs) {
    test(what, { skip }, async (t) => {
      await using line = await CommandLine.create();
      const { home, port } = line;
      await mkdir(join(home, ".openclaw"));
      const config = { gateway: { mode: "local", port } };
      await writeFile(join(home, ".openclaw", "openclaw.json"), JSON.stringify(config));
      const child = await listens(t, await start(line, { ...line.env, PORT: String(port) }));
      const result = await exits(1, line.clawkit("doctor", "--fix", "--yes"));
      assert.doesNotMatch(result.stdout, /^done: /m);
      assert.ok(await isAlive(child.pid!));
    });
  }
});
