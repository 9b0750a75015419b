import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { hostWith } from "../../test/helpers/machine.ts";
import { defaultConfig } from "../config/parse.ts";
import type { Config } from "../config/schema.ts";
import type { Child } from "./child.ts";
import { GatewayRunner } from "./gateway-runner.ts";
import type { ProcessWatch } from "./process-watch.ts";
import type { FollowedRun, Runs } from "./runs.ts";

const PROGRAM = fileURLToPath(new URL("../../test/fixtures/programs/hands-over.ts", import.meta.url));

describe("a gateway is replaced", {
  skip: process.platform === "win32" && "ends processes by signals",
}, () => {
  test("by one that is prepared before clients wait, and opened when the other has let go", async () => {
    await using rig = await Rig.start();
    await rig.handOver();
    assert.deepEqual(rig.trace, ["started 1", "hold", "ended 1 (by operator, 0): restart", "started 2"]);
    assert.deepEqual(rig.state, { state: "running", generation: 2, pid: rig.child(2).pid });
  });

  test("by none that ends while it loads: what runs goes on", async () => {
    await using rig = await Rig.start();
    await assert.rejects(rig.handOver("ends while it loads"), {
      code: "GATEWAY_NOT_READY",
      message:
        "Cannot start the next gateway: it ended while it loaded: exited with code 3; its last line: Cannot find module. Nothing was stopped; clawkit logs --source gateway has what it printed",
    });
    assert.deepEqual(rig.trace, ["started 1"]);
    assert.deepEqual(rig.state, { state: "running", generation: 1, pid: rig.child(1).pid });
  });

  test("by none that is killed while it loads", async () => {
    await using rig = await Rig.start();
    const refused = assert.rejects(
      rig.handOver("loads for ever"),
      /it ended while it loaded: killed by SIGKILL/,
    );
    await rig.loading(2);
    rig.child(2).signal("SIGKILL");
    await refused;
    assert.deepEqual(rig.trace, ["started 1"]);
    await rig.handOver();
    assert.deepEqual(rig.state, { state: "running", generation: 3, pid: rig.child(3).pid });
  });

  test("by none that does not load in time", async () => {
    await using rig = await Rig.start();
    await assert.rejects(rig.handOver("loads for ever", { startTimeoutSec: 1 }), {
      message: /it has not loaded within 1 s \(supervisor\.startTimeoutSec\)/,
    });
    const { signal, by } = await rig.child(2).ended;
    assert.deepEqual([signal, by], ["SIGKILL", "supervisor"]);
    assert.deepEqual(rig.trace, ["started 1"]);
  });

  test("by none once a stop is asked for", async () => {
    await using rig = await Rig.start();
    const refused = assert.rejects(rig.handOver("loads for ever"), { code: "CONTROL_FAILED" });
    await rig.loading(2);
    rig.runner.abandonRestart();
    await refused;
    assert.equal((await rig.child(2).ended).by, "operator");
    assert.deepEqual(rig.trace, ["started 1"]);
  });

  test("though it hangs when it should let go", async () => {
    await using rig = await Rig.start("hangs at release");
    await rig.handOver("", { stopGraceSec: 0 });
    assert.deepEqual(rig.trace, [
      "started 1",
      "hold",
      "ended 1 (by operator, SIGKILL): restart",
      "started 2",
    ]);
  });

  test("by the one that is being prepared, if it is killed meanwhile", async () => {
    await using rig = await Rig.start();
    const done = rig.handOver("loads until SIGUSR2");
    await rig.loading(2);
    rig.child(1).signal("SIGKILL");
    await rig.told("ended 1 (by itself, SIGKILL): restart");
    assert.equal(rig.runner.inspect().state, "waiting");
    rig.child(2).signalAlone("SIGUSR2");
    await done;
    assert.deepEqual(rig.trace.slice(2), ["hold", "started 2"]);
    assert.deepEqual(rig.state, { state: "running", generation: 2, pid: rig.child(2).pid });
  });

  test("by none if it ends while the memory for another one is looked at: it is started again anyway", async () => {
    await using rig = await Rig.start();
    const isLookedAt = Promise.withResolvers<undefined>();
    rig.cgroup = () => isLookedAt.promise;
    const canHandOver = rig.runner.canHandOver(configWith({}));
    rig.child(1).signal("SIGKILL");
    await rig.told("ended 1 (by itself, SIGKILL): restart");
    isLookedAt.resolve(undefined);
    assert.equal(await canHandOver, false);
    await rig.told("started 2");
  });

  test("by a third one, if both are killed", async () => {
    await using rig = await Rig.start();
    const refused = assert.rejects(rig.handOver("loads until SIGUSR2"), { code: "GATEWAY_NOT_READY" });
    await rig.loading(2);
    rig.child(1).signal("SIGKILL");
    await rig.told("ended 1 (by itself, SIGKILL): restart");
    rig.how("");
    rig.child(2).signal("SIGKILL");
    await refused;
    await rig.told("started 3");
    assert.deepEqual(rig.state, { state: "running", generation: 3, pid: rig.child(3).pid });
  });

  test("by a third one, if the prepared one is killed while clients wait", async () => {
    await using rig = await Rig.start();
    rig.onHold = async () => {
      rig.child(2).signal("SIGKILL");
      await rig.child(2).ended;
    };
    await rig.handOver();
    await rig.told("started 3");
    assert.deepEqual(rig.trace, ["started 1", "hold", "ended 1 (by operator, 0): stopped", "started 3"]);
  });

  test("by a third one, not before the first has let go, if the prepared one is killed until then", async () => {
    await using rig = await Rig.start("hangs at release");
    rig.onHold = async () => {
      rig.child(2).signal("SIGKILL"); // its end is noticed when it is the one that runs
    };
    await rig.handOver("", { stopGraceSec: 0 });
    await rig.told("started 3");
    assert.deepEqual(rig.trace, [
      "started 1",
      "hold",
      "ended 2 (by itself, SIGKILL): restart",
      "ended 1 (by operator, SIGKILL): restart",
      "started 3",
    ]);
    assert.equal(rig.runner.inspect().lastExit?.generation, 2);
  });
});

/** A runner of programs that only speak as a gateway does, and what it tells. */
class Rig implements AsyncDisposable {
  readonly trace: string[] = [];
  readonly runner: GatewayRunner;
  onHold: () => Promise<void> = async () => undefined;
  cgroup: () => Promise<undefined> = async () => undefined;
  readonly #env: Record<string, string | undefined> = { ...process.env };
  readonly #children = new Map<number, Child>();
  readonly #news = new EventTarget();

  private constructor() {
    this.runner = new GatewayRunner(configWith({}), [], {
      node: process.execPath,
      builtinArgs: [PROGRAM],
      env: this.#env,
      clock: { now: () => performance.now(), wall: () => Date.now() },
      random: () => 0.5,
      host: hostWith(),
      runs: this.#runs(),
      socketPathFor: (generation) => `/nonexistent/${generation}.sock`,
      configPath: "/nonexistent/config.json5",
      journalPath: "/nonexistent/journal.db",
      logFile: "/nonexistent/gateway.log",
      reportsDir: "/nonexistent/reports",
      openclawSearch: { platform: "linux", path: "", ownFolders: [], node: process.execPath },
      clean: (line) => line,
      log: () => undefined,
      sendSignal: (pid, signal) => {
        try {
          return process.kill(pid, signal);
        } catch {
          return false; // it is gone
        }
      },
      removeSocket: () => undefined,
      isStopped: async () => false,
      onLine: () => {
        this.#news.dispatchEvent(new Event("news"));
      },
      onStarted: ({ generation }) => this.#tell(`started ${generation}`),
      onEnded: (generation, { by, code, signal }, { kind }) =>
        this.#tell(`ended ${generation} (by ${by}, ${signal ?? code}): ${kind}`),
      onRestartRequested: async () => true,
    });
  }

  static async start(how = ""): Promise<Rig> {
    const rig = new Rig();
    rig.how(how);
    await rig.runner.start(configWith({}));
    await rig.told("started 1");
    return rig;
  }

  /** What gateways do that are started from now on. */
  how(how: string): void {
    this.#env.HOW = how;
  }

  async handOver(how = "", supervisor: Partial<Config["supervisor"]> = {}): Promise<void> {
    this.how(how);
    await this.runner.handOver(configWith(supervisor), async () => {
      this.#tell("hold");
      await this.onHold();
    });
  }

  child(generation: number): Child {
    return this.#children.get(generation)!;
  }

  get state() {
    const { state, generation, pid } = this.runner.inspect();
    return { state, generation, pid };
  }

  async told(what: string): Promise<void> {
    while (!this.trace.includes(what)) await once(this.#news, "news");
  }

  async loading(generation: number): Promise<void> {
    while (!this.child(generation).lastLines.includes("loading")) await once(this.#news, "news");
  }

  #tell(what: string): void {
    this.trace.push(what);
    this.#news.dispatchEvent(new Event("news"));
  }

  /** A run log that is always on disk. */
  #runs(): Runs {
    const follow = async (_role: string, { generation, child, onRecorded, onWatch }: FollowedRun) => {
      this.#children.set(generation, child);
      onWatch?.({ cgroupNow: () => this.cgroup() } as unknown as ProcessWatch);
      if (child.pid !== undefined) onRecorded?.();
      return { end: await child.ended, uptimeMs: 1_000 };
    };
    return { follow, ready: () => undefined } as unknown as Runs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.values()) child.signal("SIGKILL");
    await this.runner.stop();
  }
}

function configWith(supervisor: Partial<Config["supervisor"]>): Config {
  const config = defaultConfig();
  return { ...config, supervisor: { ...config.supervisor, ...supervisor } };
}
