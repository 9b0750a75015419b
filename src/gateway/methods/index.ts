import type { GatewaySettings } from "../../core/messages.ts";
import type { Clock } from "../../core/ports.ts";
import type { Presence } from "../presence.ts";
import type { ReadResult } from "../schemas.ts";
import type { Session } from "../session.ts";
import { configMethods } from "./config.ts";
import { gatewayMethods } from "./gateway.ts";
import { healthMethods } from "./health.ts";
import { logsMethods } from "./logs.ts";
import { systemMethods } from "./system.ts";

/** What methods may use of the gateway. */
export interface GatewayContext {
  readonly settings: GatewaySettings;
  readonly clock: Clock;
  readonly process: { readonly pid: number; readonly rssBytes: () => number };
  readonly bootId: string;
  readonly startedAt: number;
  readonly presence: Presence;
  readonly countSessions: () => number;
  readonly health: () => HealthSnapshot;
  readonly presenceChanged: () => void;
  readonly requestRestart: (reason: string) => void;
}

export interface HealthSnapshot {
  readonly ok: true;
  readonly ts: number;
  readonly durationMs: number;
}

export interface Method<Params> {
  /** The operator scope it needs, as the published method table says. */
  readonly scope: "operator.read" | "operator.admin";
  readonly read: (params: unknown) => ReadResult<Params>;
  readonly run: (params: Params, session: Session, context: GatewayContext) => unknown;
}

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
  }),
);
