import type { TestHost } from "../helpers/network.ts";
import type { ClawkitLab } from "./clawkit-lab.ts";
import type { DockerLab } from "./docker-lab.ts";
import type { OpenclawLab } from "./openclaw-lab.ts";

/** One way in which a real gateway is really broken, and what the doctor must make of it. */
export type Fault = ClawkitFault | DockerFault | OpenclawFault;

interface Described {
  /** Also the name of its file. */
  readonly id: string;
  readonly title: string;
  /** The doctor's first cause must be one of these; `healthy`: its verdict must be. */
  readonly expected: readonly string[];
  /** Whether `doctor --fix --yes` must bring the gateway back, and keep it back. */
  readonly isFixable: boolean;
  /** Why it cannot be provoked on this machine; false if it can. */
  readonly needs?: () => string | false;
}

/** Behind or in ClawKit. */
export interface ClawkitFault extends Described {
  readonly on: "clawkit";
  /** Resolves when it is broken, not when it will be. */
  readonly break: (lab: ClawkitLab) => Promise<DoctorCall | undefined>;
}

/** In a container. */
export interface DockerFault extends Described {
  readonly on: "docker";
  readonly break: (lab: DockerLab) => Promise<DoctorCall | undefined>;
}

/** A plain OpenClaw that has never seen ClawKit. */
export interface OpenclawFault extends Described {
  readonly on: "openclaw";
  readonly break: (lab: OpenclawLab) => Promise<DoctorCall | undefined>;
}

/** How, and where, the doctor is called, if not as anybody would on the gateway's machine. */
export interface DoctorCall {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The machine on which it is called. */
  readonly at?: TestHost;
}
