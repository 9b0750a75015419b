import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { hostFor } from "../../src/host/index.ts";
import { ClawkitLab } from "../faults/clawkit-lab.ts";
import { clawkitFaults } from "../faults/index.ts";
import type { Examination } from "../faults/lab.ts";
import { faulty } from "../faults/programs/index.ts";
import { tryFault } from "../faults/trial.ts";
import { freePort, program, until } from "../helpers/clawkit.ts";
import { isAlive } from "../helpers/processes.ts";
import { Visitors } from "../helpers/visitors.ts";

// All faults, also those that need namespaces, mounts or a real OpenClaw, and the repairs: npm run faults.

const onLinux = process.platform === "linux" ? false : "looks at processes through /proc";
const asRoot = onLinux || (process.getuid?.() === 0 ? false : "starts programs of another user");

describe("the doctor's first cause is the one that was provoked:", {
  skip: onLinux,
  concurrency: false,
}, () => {
  for (const fault of clawkitFaults.filter(({ needs }) => needs === undefined)) {
    test(`${fault.title}: ${fault.expected.join(" or ")}`, async () => {
      await using trial = await tryFault(fault, { fix: false });
      const { isRight, wronglyConfirmed, report } = trial.outcome;
      const said = JSON.stringify({ causes: report.causes, facts: report.facts }, null, 2);
      assert.ok(isRight, `not ${fault.expected.join(" or ")} first: ${said}`);
      assert.deepEqual(wronglyConfirmed, [], `sure of what is not so: ${said}`);
    });
  }
});

describe("a healthy gateway", { skip: onLinux, concurrency: false }, () => {
  const LOOKS = 20;
  const VISITORS = 20;

  test(`is called healthy ${LOOKS} times, half of them under load, and nothing is found`, async () => {
    await using lab = await ClawkitLab.create();
    const { url } = await lab.run({ gateway: { upstream: { type: "command", command: program("echo") } } });
    for (let look = 0; look < LOOKS / 2; look++) assertHealthy(await lab.doctor());
    await using visitors = new Visitors(VISITORS, url);
    for (let look = 0; look < LOOKS / 2; look++) {
      await visitors.serve(VISITORS);
      assertHealthy(await lab.doctor());
    }
  });
});

describe("whoever else holds the port outlives doctor --fix --yes:", {
  skip: asRoot,
  concurrency: false,
}, () => {
  const NOBODY = 65534;
  const silent = faulty("silent").slice(1);
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "clawkit-names-"));
    await chmod(folder, 0o755); // nobody reads it, too
    // a program of that name, and a program in a folder of that name
    await copyFile(process.execPath, join(folder, "openclaw-gateway"));
    await mkdir(join(folder, "openclaw", "dist"), { recursive: true });
    await symlink(silent[0]!, join(folder, "openclaw", "dist", "index.ts"));
  });

  after(() => rm(folder, { recursive: true, force: true }));

  const DISGUISES: Record<string, () => [file: string, args: string[], argv0?: string]> = {
    "an HTTP server": () => [process.execPath, program("http-app").slice(1)],
    "a server that says nothing": () => [process.execPath, silent],
    "one that is called openclaw-gateway (argv0)": () => [process.execPath, silent, "openclaw-gateway"],
    "one with the title openclaw-gateway": () => [process.execPath, ["--title=openclaw-gateway", ...silent]],
    "a binary that is named openclaw-gateway": () => [join(folder, "openclaw-gateway"), silent],
    "a program in a folder that is named openclaw": () => [
      process.execPath,
      ["--preserve-symlinks-main", join(folder, "openclaw", "dist", "index.ts"), "gateway", "run"],
    ],
  };

  for (const [name, disguise] of Object.entries(DISGUISES)) {
    for (const uid of [0, NOBODY]) {
      test(`${name}, of uid ${uid}, where ClawKit was`, async () => {
        await using lab = await ClawkitLab.create();
        const { port } = lab.clawkit;
        await using stranger = await Stranger.start(port, uid, disguise());
        await stranger.assertOutlives(() => lab.doctor({}, "--fix", "--yes"));
      });
    }

    test(`${name}, where OpenClaw should be`, async () => {
      await using lab = await ClawkitLab.create();
      const port = await freePort();
      await mkdir(join(lab.home, ".openclaw"));
      const config = { gateway: { mode: "local", port } };
      await writeFile(join(lab.home, ".openclaw", "openclaw.json"), JSON.stringify(config));
      await using stranger = await Stranger.start(port, 0, disguise());
      const env = { CLAWKIT_STATE_DIR: join(lab.home, "never-seen") };
      await stranger.assertOutlives(() => lab.doctor({ env }, "--fix", "--yes"));
    });
  }
});

/** A program of somebody else, that listens. */
class Stranger implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(
    port: number,
    uid: number,
    [file, args, argv0 = file]: [string, string[], string?],
  ): Promise<Stranger> {
    const env = { PATH: process.env.PATH, PORT: String(port) };
    const stranger = new Stranger(
      spawn(file, args, { argv0, env, uid, gid: uid, stdio: "ignore", cwd: "/" }),
    );
    await until(async () => {
      const owners = await hostFor(process.platform).portOwners(port);
      return owners.some(({ pid }) => pid === stranger.#child.pid) || undefined;
    });
    return stranger;
  }

  /** Not a signal may reach it: not even one that it would survive. */
  async assertOutlives(examine: () => Promise<Examination>): Promise<void> {
    const { report } = await examine();
    const { pid, exitCode, signalCode } = this.#child;
    assert.deepEqual([exitCode, signalCode, await isAlive(pid!)], [null, null, true]);
    assert.equal(report.ok, false, "the port is somebody else's, and that is no good health");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
  }
}

function assertHealthy({ code, report }: Examination): void {
  const said = JSON.stringify({ causes: report.causes, facts: report.facts }, null, 2);
  assert.deepEqual([report.verdict, code, report.ok, report.findings], ["healthy", 0, true, []], said);
}
