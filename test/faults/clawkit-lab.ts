import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CauseId } from "../../src/core/causes.ts";
import { parseRunLog } from "../../src/core/run-record.ts";
import { type CommandResult, TestClawkit, until } from "../helpers/clawkit.ts";
import { TestClient } from "../helpers/clients.ts";
import { CLAWKIT } from "../helpers/command-line.ts";
import type { TestHost } from "../helpers/network.ts";
import { connections, incidents } from "../helpers/recorded.ts";
import { exits } from "../helpers/results.ts";
import type { DoctorCall } from "./fault.ts";
import { endAllWith, Lab, plainEnvironment } from "./lab.ts";

type Config = Parameters<TestClawkit["writeConfig"]>[0];

/** So many ends in a row, and it is no accident. */
const LOOP_ENDS = 2;

const NOBODY = 65_534;

/** A machine with ClawKit, and without any OpenClaw. */
export class ClawkitLab extends Lab {
  readonly clawkit: TestClawkit;
  readonly home: string;
  #isNobody = false;

  private constructor(clawkit: TestClawkit, home: string) {
    super();
    this.clawkit = clawkit;
    this.home = home;
  }

  static async create(): Promise<ClawkitLab> {
    const clawkit = await TestClawkit.create();
    const lab = new ClawkitLab(clawkit, await mkdtemp(join(tmpdir(), "clawkit-home-")));
    lab.use(clawkit);
    lab.defer(() => rm(lab.home, { recursive: true, force: true }));
    return lab;
  }

  get env(): Record<string, string> {
    return { ...plainEnvironment(), HOME: this.home, CLAWKIT_STATE_DIR: this.clawkit.stateDir };
  }

  /** A gateway that serves. */
  async run(config: Config = {}): Promise<TestClawkit> {
    await this.clawkit.writeConfig(config);
    await this.clawkit.runForeground();
    await this.clawkit.ready();
    return this.clawkit;
  }

  /** The same, but on another machine, or by whom the laboratory is since `becomeNobody`. */
  async runApart(at?: TestHost): Promise<TestClawkit> {
    this.spawn([process.execPath, CLAWKIT, "gateway", "run"], at === undefined ? {} : { at });
    await until(() => this.clawkit.control({ op: "wait-ready" }).catch(() => undefined));
    return this.clawkit;
  }

  /** Runs a command of ClawKit to its end, by whom the laboratory is, and where it is said. */
  clawkitCommand(call: DoctorCall, ...args: string[]): Promise<CommandResult> {
    return this.output([process.execPath, CLAWKIT, ...args], call);
  }

  /** From now on this laboratory belongs to a user who is not root, and its commands are run by them. */
  async becomeNobody(): Promise<void> {
    for (const path of [this.home, this.clawkit.stateDir, this.clawkit.configPath])
      await chown(path, NOBODY, NOBODY);
    this.#isNobody = true;
  }

  /** One that served, and was stopped by its operator. */
  async runAndStop(config: Config = {}): Promise<TestClawkit> {
    const clawkit = await this.run(config);
    await exits(0, clawkit.cli("gateway", "stop"));
    return clawkit;
  }

  /** A command that ends whenever it is started; resolves when that is on record. */
  async loop(command: readonly string[]): Promise<void> {
    await this.clawkit.writeConfig({ gateway: { upstream: { type: "command", command } } });
    await this.clawkit.runForeground();
    await this.untilEnded(LOOP_ENDS);
  }

  /** So many clients, who stay for as long as they are let. */
  connect(count: number): TestClient[] {
    const clients = Array.from({ length: count }, () => new TestClient(this.clawkit.url));
    this.defer(() => {
      for (const { socket } of clients) socket.terminate();
    });
    return clients;
  }

  /** Waits until so many ends of the gateway are explained, and the outage is in the flight recorder. */
  async untilEnded(times: number): Promise<void> {
    await until(async () => {
      const records = parseRunLog(await this.clawkit.runLog());
      const ends = records.filter((record) => record.event === "cause" && record.role === "gateway");
      return ends.length >= times || undefined;
    });
    await this.untilRecorded();
  }

  /** Waits until an outage is in the flight recorder. */
  async untilRecorded(): Promise<void> {
    await until(async () => (await incidents(this.clawkit)).length > 0 || undefined);
  }

  /** Waits until a connection is on record as ended, for this reason. */
  async untilClosed(cause?: CauseId): Promise<void> {
    await until(async () => {
      const rows = await connections(this.clawkit);
      return (
        rows.some(({ end }) => end !== null && (cause === undefined || end.cause === cause)) || undefined
      );
    });
  }

  /** Everything of ours ends at once, and nobody is left to see it: as when the power goes. */
  async killAll(): Promise<void> {
    await endAllWith("CLAWKIT_STATE_DIR", this.clawkit.stateDir);
  }

  protected override wrapped(command: readonly string[]): readonly string[] {
    if (!this.#isNobody) return command;
    return ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", ...command];
  }

  /** Also what is stopped, and what a repair has started. */
  protected override endProcesses(): Promise<void> {
    return this.killAll();
  }
}
