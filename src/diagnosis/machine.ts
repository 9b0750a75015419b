import type { StatePaths } from "../config/paths.ts";
import type { Config } from "../config/schema.ts";
import type { Status } from "../core/control.ts";
import { messageOf } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import type { UnfinishedRun } from "../core/run-record.ts";
import { withoutSecrets } from "../core/secrets.ts";
import type { Host, PortOwner, ProcessFacts, ServiceFacts } from "../host/types.ts";
import type { RecorderStore } from "../recorder/store.ts";
import type { OpenClawLock } from "./facts/openclaw-locks.ts";
import { TimeLimit } from "./time-limit.ts";
import type { Fact, NotLooked } from "./types.ts";

/** Where the gateway should be reached. */
export interface Target {
  readonly url: string;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
  /** Where a WebSocket is asked for. */
  readonly path: string;
  readonly isTls: boolean;
  /** A loopback address: then whoever listens there is on this machine. */
  readonly isLocal: boolean;
}

/** What the facts about a machine are read from. Everything here only looks, and nothing is asked twice. */
export interface Machine {
  readonly host: Host;
  readonly platform: NodeJS.Platform;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folders of OpenClaw's state that exist: its own, and those of its earlier names. */
  readonly openclawDirs: readonly string[];
  readonly openclawConfigPath: string;
  /** Folders where every OpenClaw of this machine logs. */
  readonly sharedLogDirs: readonly string[];
  /** Whether the gateway here is, or may be, OpenClaw: ClawKit with its own gateway has nothing of it. */
  readonly isOpenClaw: () => Promise<boolean>;
  readonly paths: StatePaths;
  readonly target: Target;
  /** The port that the config says; differs from the target's if a client was given another. */
  readonly configuredPort: () => Promise<number>;
  /** More time, and more of every log. */
  readonly isDeep: boolean;
  /** Of this command. */
  readonly pid: number;
  /** Of who runs this; absent on Windows. */
  readonly uid: number | undefined;
  /** Who runs this. */
  readonly userName: string;
  /** The user's home directory. */
  readonly home: string;
  /** Docker and podman mark theirs with a file. */
  readonly isContainer: () => Promise<boolean>;
  /** Our own supervisor's word, or how it looks from outside. */
  readonly status: () => Promise<Status>;
  readonly processes: () => Promise<readonly ProcessFacts[]>;
  /** Services of gateways; undefined where no service manager answers. */
  readonly services: () => Promise<readonly ServiceFacts[] | undefined>;
  /** Who listens on the target's port. */
  readonly portOwners: () => Promise<readonly PortOwner[]>;
  /** What the kernel said in the last hour (`Host.kernelLines`). */
  readonly kernelLines: () => Promise<readonly string[] | undefined>;
  readonly openclawLocks: () => Promise<readonly OpenClawLock[]>;
  /** Processes of ours that have a start and no end in the run log: with the same start time they are ours. */
  readonly ownProcesses: () => Promise<readonly UnfinishedRun[]>;
  /** Our config in force; throws what is wrong with it. */
  readonly ownConfig: () => Promise<Config>;
  /** Whether there is a config or a run log of ours: a machine that never saw ClawKit needs neither. */
  readonly hasOwnState: () => Promise<boolean>;
  /** Runs `use` on the flight recorder's store. */
  readonly records: <T>(use: (store: RecorderStore) => T) => Promise<T>;
}

/** One thing to look at. A look that throws, or takes too long, is a result too: it could not be looked at. */
export interface Look {
  readonly id: string;
  /** What is looked at: `who listens on the port`. */
  readonly what: string;
  readonly look: (machine: Machine) => Promise<readonly Fact[]>;
}

/** A look that takes longer is given up; all run at once, so this bounds the whole. */
const LOOK_MS = 1_800;

/** With `--deep`. */
const DEEP_LOOK_MS = 10_000;

export interface Looked {
  readonly facts: readonly Fact[];
  readonly notLooked: readonly NotLooked[];
}

/** Takes all looks at once. Never rejects. */
export async function lookAt(machine: Machine, looks: readonly Look[]): Promise<Looked> {
  const results = await Promise.all(looks.map((one) => take(one, machine)));
  return {
    facts: results.flatMap(({ facts }) => facts),
    notLooked: results.flatMap(({ notLooked }) => notLooked),
  };
}

async function take({ id, what, look }: Look, machine: Machine): Promise<Looked> {
  const limitMs = machine.isDeep ? DEEP_LOOK_MS : LOOK_MS;
  const late = Promise.withResolvers<never>();
  const limit = new TimeLimit(limitMs, () => late.reject(new Error(`no result within ${limitMs} ms`)));
  try {
    const facts = await Promise.race([look(machine), late.promise]);
    // command lines, log lines and configs may hold tokens
    return { facts: facts.map((fact) => ({ ...fact, detail: withoutSecrets(fact.detail) })), notLooked: [] };
  } catch (error) {
    return { facts: [], notLooked: [{ id, what, why: withoutSecrets(messageOf(error)) }] };
  } finally {
    limit.end();
  }
}
