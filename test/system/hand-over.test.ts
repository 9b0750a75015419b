import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseRunLog, type RunRecord } from "../../src/core/run-record.ts";
import { hostFor } from "../../src/host/index.ts";
import { type CommandResult, program, TestClawkit, until } from "../helpers/clawkit.ts";
import type { HistoryClient } from "../helpers/history.ts";
import { History, HistoryNode, HistoryOperator } from "../helpers/history-roles.ts";
import { needsProc, processesOf, untilGone } from "../helpers/processes.ts";
import { incidents, storyOf } from "../helpers/recorded.ts";
import { exits } from "../helpers/results.ts";

// A planned restart of the built-in gateway prepares the next one beside it, and then has both change places.

const OPERATORS = 4;

/** A gateway that loads can be caught in the middle of it. */
process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ""} --import=${program("stops-before-it-loads").at(-1)}`;

describe("a planned restart of the built-in gateway", { skip: needsProc }, () => {
  test("is one end, asked for, and no incident; clients notice nothing", async () => {
    await using rig = await Rig.start();
    const { stdout } = await exits(0, rig.clawkit.cli("gateway", "restart", "--json"));
    await rig.check();
    const { state, gateway } = JSON.parse(stdout);
    assert.deepEqual([state, gateway.generation, gateway.endsInARow], ["healthy", 2, 0]);
    assert.equal(gateway.lastExit.reason, "asked by its operator");
    assert.deepEqual(await rig.lives(), ["1 start", "1 ready", "2 start", "1 end by operator", "2 ready"]);
    assert.deepEqual(await incidents(rig.clawkit), []);
  });

  test("two at once are two, one after the other", async () => {
    await using rig = await Rig.start();
    const restart = () => rig.clawkit.control({ op: "restart", all: false });
    await Promise.all([restart(), restart()]);
    await rig.check();
    const { state, gateway } = await rig.clawkit.status();
    assert.deepEqual([state, gateway.generation], ["healthy", 3]);
    assert.equal((await rig.gateways()).length, 1);
    assert.deepEqual(await incidents(rig.clawkit), []);
  });

  test("is one, however often clients ask for it meanwhile", async () => {
    await using rig = await Rig.start();
    const { next, restarted } = await rig.restartUntilLoading();
    for (let i = 0; i < 3; i++) await rig.operator.request("gateway.restart.request", {});
    process.kill(next, "SIGCONT");
    await exits(0, restarted);
    await rig.clawkit.control({ op: "restart", all: false }); // behind all that was asked for before
    await rig.check();
    assert.equal((await rig.clawkit.status()).gateway.generation, 3);
  });

  test("starts the next one as the config says now", async () => {
    await using rig = await Rig.start();
    await rig.clawkit.writeConfig({ supervisor: { heapMb: 300 } });
    await exits(0, rig.clawkit.cli("gateway", "restart"));
    await rig.check();
    const { gateway } = await rig.clawkit.status();
    assert.match(await readFile(`/proc/${gateway.pid}/environ`, "utf8"), /--max-old-space-size=300/);
  });

  test("fails if the next one is killed while it loads: the one that runs goes on, and nobody was away", async () => {
    await using rig = await Rig.start();
    const before = await rig.clawkit.status();
    const { next, restarted } = await rig.restartUntilLoading();
    process.kill(next, "SIGKILL");
    assert.match(
      (await exits(1, restarted)).stderr,
      /Cannot start the next gateway: it ended while it loaded: killed by SIGKILL/,
    );
    await rig.check();
    const after = await rig.clawkit.status();
    assert.deepEqual([after.state, after.gateway.pid], ["healthy", before.gateway.pid]);
    assert.deepEqual(await incidents(rig.clawkit), []);
  });

  test("goes on with the next one if the one that runs is killed meanwhile", async () => {
    await using rig = await Rig.start();
    const { next, restarted } = await rig.restartUntilLoading();
    process.kill((await rig.clawkit.status()).gateway.pid!, "SIGKILL");
    await rig.clawkit.untilStatus(({ gateway }) => gateway.state === "waiting");
    process.kill(next, "SIGCONT");
    await exits(0, restarted);
    await rig.check();
    const { gateway } = await rig.clawkit.status();
    assert.deepEqual([gateway.generation, gateway.pid], [2, next]);
    const [incident, ...others] = await incidents(rig.clawkit);
    assert.deepEqual([incident?.cause, incident?.ends, others], ["killed-by-signal", 1, []]);
    assert.deepEqual(
      (await storyOf(rig.clawkit, incident!.id)).restarts.map(({ pid }) => pid),
      [next],
    );
  });

  test("kills one that does not let go in time", async () => {
    await using rig = await Rig.start({ stopGraceSec: 1 });
    const { gateway } = await rig.clawkit.status();
    process.kill(gateway.pid!, "SIGSTOP");
    await exits(0, rig.clawkit.cli("gateway", "restart"));
    await rig.check();
    assert.equal((await rig.clawkit.status()).gateway.lastExit?.signal, "SIGKILL");
    assert.deepEqual(await incidents(rig.clawkit), []);
  });

  test("ends with a stop: both gateways go", async () => {
    await using rig = await Rig.start();
    const { next, restarted } = await rig.restartUntilLoading();
    const { supervisor, gateway } = await rig.clawkit.status();
    await exits(0, rig.clawkit.cli("gateway", "stop"));
    await untilGone([supervisor.pid!, gateway.pid!, next]);
    assert.notEqual((await restarted).code, 0);
  });

  test("that its supervisor does not outlive leaves no gateway behind", async () => {
    await using rig = await Rig.start();
    const { next } = await rig.restartUntilLoading();
    const { supervisor, gateway } = await rig.clawkit.status();
    process.kill(supervisor.pid!, "SIGKILL");
    process.kill(next, "SIGCONT");
    await untilGone([gateway.pid!, next]);
  });
});

/** A gateway with clients that ask without pause. */
class Rig implements AsyncDisposable {
  readonly clawkit: TestClawkit;
  readonly #clients: readonly (HistoryNode | HistoryOperator)[];
  readonly #asking: Promise<unknown>;
  #isOver = false;

  private constructor(clawkit: TestClawkit, clients: readonly (HistoryNode | HistoryOperator)[]) {
    this.clawkit = clawkit;
    this.#clients = clients;
    this.#asking = Promise.all(clients.map((client) => client.ask(() => this.#isOver)));
  }

  static async start(supervisor: object = {}): Promise<Rig> {
    const clawkit = await TestClawkit.run({ supervisor });
    const history = new History();
    const node = new HistoryNode(clawkit.url, history);
    const on = { history, nodes: [node.id] };
    const operators = Array.from(
      { length: OPERATORS },
      (_, i) => new HistoryOperator(clawkit.url, `operator ${i}`, on),
    );
    const clients = [node, ...operators];
    await Promise.all(clients.map((client) => client.hello()));
    return new Rig(clawkit, clients);
  }

  get operator(): HistoryClient {
    return this.#clients.at(-1)!;
  }

  /** Asks for a restart; resolves when the next gateway is there, stopped before it loads its code. */
  async restartUntilLoading(): Promise<{ next: number; restarted: Promise<CommandResult> }> {
    await writeFile(join(this.clawkit.stateDir, "stop-gateways"), "");
    const restarted = this.clawkit.cli("gateway", "restart");
    const next = await until(async () => {
      for (const pid of await this.gateways())
        if ((await hostFor("linux").process(pid))?.state === "stopped") return pid;
      return undefined;
    });
    await rm(join(this.clawkit.stateDir, "stop-gateways"));
    return { next, restarted };
  }

  async gateways(): Promise<number[]> {
    const processes = await processesOf(this.clawkit.stateDir);
    return processes.filter(({ command }) => command.startsWith("openclaw gateway")).map(({ pid }) => pid);
  }

  /** The clients were answered, and are. */
  async check(): Promise<void> {
    const answers = () => this.#clients.map(({ answeredAfter }) => answeredAfter.length);
    const before = answers();
    await until(() => answers().every((count, i) => count > before[i]! + 1));
    this.#isOver = true;
    await this.#asking;
    for (const client of this.#clients) client.check();
  }

  async lives(): Promise<string[]> {
    const records = parseRunLog(await this.clawkit.runLog()).filter(({ role }) => role === "gateway");
    const by = (record: RunRecord) => (record.event === "end" ? ` by ${record.end.by}` : "");
    return records.map((record) => `${record.generation} ${record.event}${by(record)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    for (const client of this.#clients) await client[Symbol.asyncDispose]();
    await this.clawkit[Symbol.asyncDispose]();
  }
}
