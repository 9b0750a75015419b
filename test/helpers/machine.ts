import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultConfig } from "../../src/config/parse.ts";
import { statePaths } from "../../src/config/paths.ts";
import type { Status } from "../../src/core/control.ts";
import { type Examination, examine } from "../../src/diagnosis/doctor.ts";
import type { Look, Machine } from "../../src/diagnosis/machine.ts";
import type { Actions } from "../../src/diagnosis/remedies/types.ts";
import { localTarget } from "../../src/diagnosis/target.ts";
import type { Fact } from "../../src/diagnosis/types.ts";
import type { Host, ProcessFacts } from "../../src/host/types.ts";
import { MemoryStore } from "../../src/recorder/memory-store.ts";

/** When it is on a made-up machine. */
export const NOW = Date.parse("2026-11-22T12:00:00.000Z");

/** Our own state where nothing of ours runs. */
export function stoppedStatus(changes: Partial<Status> = {}): Status {
  return {
    state: "stopped",
    port: 28789,
    url: null,
    supervisor: { pid: null, upMs: null, version: null },
    edge: { pid: null, held: 0 },
    gateway: { pid: null, state: "stopped", generation: null, upMs: null, lastExit: null, endsInARow: 0 },
    connections: 0,
    networkTimers: [],
    ...changes,
  };
}

/** A host that knows of nothing. */
export function hostWith(changes: Partial<Host> = {}): Host {
  return {
    bootId: async () => "boot",
    process: async () => undefined,
    processes: async () => [],
    services: async () => [],
    marked: async () => [],
    portOwners: async () => [],
    portClients: async () => [],
    portUsers: async () => [],
    usage: async () => undefined,
    cgroupOf: async () => undefined,
    cgroupMemory: async () => undefined,
    cgroupPids: async () => undefined,
    serviceLog: async () => undefined,
    portRule: async () => undefined,
    sleep: async () => undefined,
    kernelLines: async () => [],
    handlesSignal: async () => false,
    ...changes,
  };
}

/** A machine on which there is nothing. */
export function machineWith(changes: Partial<Machine> = {}): Machine {
  const home = join(tmpdir(), "no-such-home");
  const { host = hostWith(), target = localTarget(28789, false) } = changes;
  return {
    host,
    platform: "linux",
    clock: { now: () => performance.now(), wall: () => NOW },
    env: {},
    openclawDirs: [],
    openclawConfigPath: join(home, ".openclaw", "openclaw.json"),
    isOpenClaw: async () => changes.openclawDirs !== undefined,
    paths: statePaths(join(home, ".clawkit")),
    target,
    configuredPort: async () => 28789,
    isDeep: false,
    pid: process.pid,
    uid: process.getuid?.(),
    userName: "u",
    home,
    sharedLogDirs: [],
    isContainer: async () => false,
    status: async () => stoppedStatus(),
    processes: async () => [],
    services: () => host.services(),
    portOwners: () => host.portOwners(target.port),
    kernelLines: () => host.kernelLines(NOW - 3_600_000),
    openclawLocks: async () => [],
    ownConfig: async () => defaultConfig(),
    ownProcesses: async () => [],
    hasOwnState: async () => false,
    records: async (use) => use(new MemoryStore()),
    ...changes,
  };
}

export function fact(id: string, changes: Partial<Fact> = {}): Fact {
  return { id, detail: `about ${id}`, source: "test", ...changes };
}

/** A look that finds just these facts. */
export function finds(...facts: readonly (Fact | string)[]): Look {
  const found = facts.map((one) => (typeof one === "string" ? fact(one) : one));
  return { id: "made-up", what: "what was made up", look: async () => found };
}

/** What the doctor makes of a machine of which this is known. */
export function examinationOf(...facts: readonly (Fact | string)[]): Promise<Examination> {
  return examine(machineWith(), [finds(...facts)]);
}

/** Nothing may be done, except what a test allows. */
export function actionsWith(changes: Partial<Actions> = {}): Actions {
  const forbidden = (what: string) => async () => {
    throw new Error(`${what} was not expected`);
  };
  return {
    startOwn: forbidden("a start"),
    restartOwn: forbidden("a restart"),
    endLeftovers: forbidden("an end of leftovers"),
    signal: forbidden("a signal"),
    launch: forbidden("a launch"),
    ...changes,
  };
}

/** A process as a host tells of it. */
export function processWith(changes: Partial<ProcessFacts> = {}): ProcessFacts {
  return {
    pid: 4711,
    startTime: "100",
    state: "sleeping",
    cpuMs: 0,
    command: "made-up",
    user: "u",
    ...changes,
  };
}

/** Containers of tests that run at the same time are not of the machine that a test looks at. */
export const NO_ENGINE = "unix:///nonexistent/docker.sock";
