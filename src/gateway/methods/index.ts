import type { GatewaySettings } from "../../core/messages.ts";
import type { Clock, Log } from "../../core/ports.ts";
import type { Devices } from "../devices/devices.ts";
import type { Modules } from "../modules/modules.ts";
import type { Invokes } from "../nodes/invokes.ts";
import type { NodeWork } from "../nodes/node-work.ts";
import type { PresenceEntry } from "../presence.ts";
import type { ReadResult } from "../schemas.ts";
import type { Session } from "../session.ts";
import type { Stability } from "../stability.ts";
import type { Suspension } from "../suspension.ts";
import { configMethods } from "./config.ts";
import { deviceMethods } from "./devices.ts";
import { gatewayMethods } from "./gateway.ts";
import { healthMethods } from "./health.ts";
import { logsMethods } from "./logs.ts";
import { nodeMethods } from "./nodes.ts";
import { systemMethods } from "./system.ts";

/** What methods may use of the gateway. */
export interface GatewayContext {
  readonly settings: GatewaySettings;
  readonly clock: Clock;
  readonly process: { readonly pid: number; readonly rssBytes: () => number };
  readonly bootId: string;
  readonly startedAt: number;
  /** Who is there, the newest of many. */
  readonly presence: () => PresenceEntry[];
  readonly countSessions: () => number;
  readonly health: () => HealthSnapshot;
  /** Within a commit. */
  readonly presenceChanged: () => void;
  readonly requestRestart: (reason: string) => void;
  readonly devices: Devices;
  readonly invokes: Invokes;
  readonly nodeWork: NodeWork;
  readonly suspension: Suspension;
  readonly stability: Stability;
  readonly modules: Modules;
  readonly sessions: () => Iterable<Session>;
  /** Within a commit: an event for the operators with this scope. */
  readonly tell: (scope: string, event: string, payload: unknown) => void;
  /** Within a commit: closes with 4001; the caller itself once it is answered. */
  readonly showOut: (caller: Session, isMeant: (session: Session) => boolean) => void;
  readonly log: Log;
}

export interface HealthSnapshot {
  readonly ok: true;
  readonly ts: number;
  readonly durationMs: number;
}

export interface Method<Params> {
  /** What it needs, as the published method table says; `dynamic` is `operator.write` here. */
  readonly scope:
    | "operator.read"
    | "operator.write"
    | "operator.admin"
    | "operator.pairing"
    | "node"
    | "dynamic";
  readonly read: (params: unknown) => ReadResult<Params>;
  /** It begins something, and is refused while the gateway is suspended. */
  readonly isWork?: true;
  /**
   * Most run within the commit that answers them: at once, and they throw only before they have changed anything.
   * `apart`: it takes time, and may be run again. `external`: it changes what no commit takes back (a file), so it is not.
   */
  readonly runs?: "apart" | "external";
  readonly isOfModule?: true;
  /** How long who asks waits, if that is longer than usual: behind an end of the gateway it is run again for as long. Milliseconds. */
  readonly waitsMs?: number;
  readonly run: (params: Params, session: Session, context: GatewayContext, request: string) => unknown;
}

/** What a method returns that wrote down who waits for its answer. */
export const ANSWERED_LATER = Symbol("answered later");

/** Keeps the parameter type between `read` and `run`, and forgets it for the table. */
export function method<Params>(definition: Method<Params>): Method<unknown> {
  return definition as Method<unknown>;
}

export const methods: ReadonlyMap<string, Method<unknown>> = new Map(
  Object.entries({
    ...healthMethods,
    ...systemMethods,
    ...configMethods,
    ...logsMethods,
    ...gatewayMethods,
    ...deviceMethods,
    ...nodeMethods,
  }),
);

/** What the names of the gateway's own methods begin with, also of those to come. */
const OWN_FAMILIES: ReadonlySet<string> = new Set([
  "clawkit",
  ...[...methods.keys()].filter((name) => name.includes(".")).map((name) => name.split(".")[0]!),
]);

/** Whether nobody else may have a method of this name. */
export function isOwnName(name: string): boolean {
  return methods.has(name) || OWN_FAMILIES.has(name.split(".")[0]!);
}
