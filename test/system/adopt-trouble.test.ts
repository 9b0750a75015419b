import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { statePaths } from "../../src/config/paths.ts";
import { whyNotInstalled } from "../faults/openclaw-install.ts";
import { OpenclawLab, whyNoOpenclaw } from "../faults/openclaw-lab.ts";
import { collect, until } from "../helpers/clawkit.ts";
import { CLAWKIT } from "../helpers/command-line.ts";
import { isAlive, processesOf, untilGone } from "../helpers/processes.ts";
import { exits, json } from "../helpers/results.ts";

// An adoption of the real OpenClaw that goes wrong at one moment or another: what was there before has to be there again.

const skip = process.env.CI ? false : whyNoOpenclaw() || whyNotInstalled();

describe("an adoption that", { skip, concurrency: false }, () => {
  let lab: OpenclawLab;
  let command: string;
  let configBefore: Buffer;
  const paths = () => statePaths(lab.env.CLAWKIT_STATE_DIR!);

  before(async () => {
    lab = await OpenclawLab.create();
    await lab.writeConfig({ bind: "loopback" });
    command = await readFile(lab.commandPath, "utf8");
    configBefore = await readFile(lab.configPath);
  });
  beforeEach(async () => {
    await writeFile(lab.commandPath, command);
    // one that an undo started listens before it is ready, and a second would refuse to start beside it
    if ((await gatewayPid()) === undefined) await lab.run();
    await until(async () => (await lab.isReady()) || undefined, 120_000);
  });
  after(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  async function gatewayPid(): Promise<number | undefined> {
    const texts = await Promise.all((await lab.locks()).map((path) => readFile(path, "utf8")));
    const pids = texts.map((text) => (JSON.parse(text) as { pid: number }).pid);
    const living = await Promise.all(pids.map(isAlive));
    return pids.find((_, index) => living[index]);
  }

  /** Begins one while the gateway cannot stop; resolves when it was asked to. */
  async function beginWhileItWorks(): Promise<{ adopting: ChildProcess; gateway: number }> {
    const gateway = (await gatewayPid())!;
    process.kill(gateway, "SIGSTOP");
    const adopting = lab.spawn([process.execPath, CLAWKIT, "adopt", "--yes"]);
    let said = "";
    adopting.stderr!.on("data", (text: Buffer) => {
      said += text;
    });
    await until(async () => (await pendingSignals(gateway)).includes("SIGTERM") || undefined, 60_000);
    assert.match(said, /asking OpenClaw's gateway to stop/);
    return { adopting, gateway };
  }

  async function assertAsBefore(): Promise<void> {
    assert.deepEqual(await readFile(lab.configPath), configBefore);
    for (const path of [paths().config, paths().lastValidConfig])
      await assert.rejects(stat(path), { code: "ENOENT" }, path);
    const left = (await processesOf(paths().stateDir)).map(({ command }) => command);
    assert.deepEqual(
      left.filter((one) => /clawkit (supervisor|edge)/.test(one)),
      [],
    );
  }

  test("is interrupted while the gateway has work is taken back; the gateway ends, as it was asked to", async () => {
    const { adopting, gateway } = await beginWhileItWorks();
    const result = collect(adopting);
    adopting.kill("SIGINT");
    const { code, stderr } = await result;
    assert.equal(code, 1);
    assert.match(stderr, /it was interrupted/);
    assert.match(
      stderr,
      new RegExp(`pid ${gateway}\\) was asked to stop.*openclaw gateway run --port ${lab.port}`),
    );
    await assertAsBefore();
    process.kill(gateway, "SIGCONT");
    await untilGone([gateway]);
  });

  test("is killed while the gateway has work leaves nothing that runs, and --undo starts the gateway again", async () => {
    const { adopting, gateway } = await beginWhileItWorks();
    adopting.kill("SIGKILL");
    await once(adopting, "exit");
    await until(async () => {
      const left = await processesOf(paths().stateDir);
      return left.every(({ command }) => !/clawkit (supervisor|edge)/.test(command)) || undefined;
    });
    process.kill(gateway, "SIGCONT");
    await untilGone([gateway]);
    const undone = json<{ started: boolean }>(await exits(0, lab.clawkit("adopt", "--undo", "--json")));
    assert.equal(undone.started, true);
    await assertAsBefore();
    await until(async () => (await lab.isReady()) || undefined, 120_000);
  });

  test("brings up no gateway is taken back, and OpenClaw's own runs again", async () => {
    const refusing = 'if [ "$OPENCLAW_SUPERVISOR_MODE" = external ]; then echo no such luck; exit 1; fi';
    await writeFile(lab.commandPath, command.replace("\n", `\n${refusing}\n`));
    const { stderr } = await exits(1, lab.clawkit("adopt", "--yes"));
    assert.match(stderr, /no such luck/);
    assert.match(stderr, /OpenClaw is as it was before/);
    await assertAsBefore();
    await until(async () => (await lab.isReady()) || undefined, 120_000);
  });

  test("is made twice at once is made once", async () => {
    const both = await Promise.all([lab.clawkit("adopt", "--yes"), lab.clawkit("adopt", "--yes")]);
    assert.deepEqual(both.map(({ code }) => code).sort(), [0, 1], JSON.stringify(both));
    const [refused] = both.filter(({ code }) => code === 1);
    assert.match(refused!.stderr + refused!.stdout, /another clawkit adopt is at it|behind ClawKit already/);
    assert.equal(await lab.isReady(), true);
    assert.match((await exits(2, lab.clawkit("uninstall", "--yes"))).stderr, /clawkit adopt --undo/);
    await exits(0, lab.clawkit("adopt", "--undo"));
    await assertAsBefore();
    await assert.rejects(stat(join(paths().runDir, "adopt.lock")), { code: "ENOENT" });
  });

  test("finds a gateway that was started to let others in says so, and leaves it alone", async () => {
    process.kill((await gatewayPid())!, "SIGTERM");
    await until(async () => !(await lab.isReady()) || undefined);
    const gateway = lab.spawn([lab.commandPath, "gateway", "run", "--bind", "lan"]);
    await until(async () => (await lab.isReady()) || undefined, 120_000);
    const { stdout } = await exits(1, lab.clawkit("adopt", "--yes"));
    assert.match(stdout, /listens on 0\.0\.0\.0.*started with other options/);
    assert.equal(await lab.isReady(), true);
    gateway.kill("SIGTERM");
    await once(gateway, "exit");
  });
});

/** Of a process that is stopped: they wait for it (proc(5), ShdPnd). */
async function pendingSignals(pid: number): Promise<string[]> {
  const [, bits = "0"] = /^ShdPnd:\s*(\w+)$/m.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? [];
  const isPending = (number: number) => (BigInt(`0x${bits}`) & (1n << BigInt(number - 1))) !== 0n;
  return Object.entries(constants.signals)
    .filter(([, number]) => isPending(number))
    .map(([name]) => name);
}
