import type { Status } from "../core/control.ts";
import type { ClawkitError } from "../core/errors.ts";
import type { EdgeInspection } from "../core/messages.ts";
import type { EdgeRunner } from "./edge-runner.ts";
import type { GatewayRunner } from "./gateway-runner.ts";

/** A gateway that ended this often without being ready in between will not come up by waiting a little. */
export const GIVE_UP_WAITING_AFTER = 3;

export interface StatusFacts {
  readonly edge: EdgeRunner;
  readonly gateway: GatewayRunner;
  /** Undefined if there is no edge, or it does not answer. */
  readonly inspection: EdgeInspection | undefined;
  readonly fatal: ClawkitError | undefined;
  readonly isStopping: boolean;
  readonly port: number;
  /** Null while nothing is bound. */
  readonly url: string | null;
  readonly supervisor: Status["supervisor"];
}

/** What `gateway status` shows, from what the supervisor knows. */
export function statusOf(facts: StatusFacts): Status {
  const { edge, gateway, inspection, port, url } = facts;
  const { pid, state, generation, upMs, lastExit, endsInARow, troubles } = gateway.inspect();
  const reason = whyNotHealthy(facts);
  return {
    state: overallState(facts, reason),
    port,
    url,
    supervisor: facts.supervisor,
    edge: { pid: edge.pid ?? null, held: inspection?.held ?? 0 },
    gateway: {
      pid: pid ?? null,
      state: state === "running" || state === "external" ? gateway.observed : state,
      generation,
      upMs: upMs === undefined ? null : Math.round(upMs),
      lastExit: lastExit ?? null,
      endsInARow,
      ...(troubles.length === 0 ? {} : { troubles }),
    },
    connections: inspection?.connections ?? 0,
    networkTimers: inspection?.networkTimers ?? [],
    ...(reason === undefined ? {} : { reason }),
  };
}

function overallState(facts: StatusFacts, reason: string | undefined): Status["state"] {
  if (facts.isStopping) return "stopping";
  if (reason === undefined) return "healthy";
  const { edge, gateway, inspection, fatal } = facts;
  const { state, endsInARow } = gateway.inspect();
  const isEdgeSilent = inspection === undefined && edge.pid !== undefined && edge.isListening;
  const isBroken = fatal !== undefined || gateway.observed === "hung" || state === "refused";
  return isEdgeSilent || isBroken || endsInARow >= GIVE_UP_WAITING_AFTER ? "unhealthy" : "starting";
}

function whyNotHealthy({ edge, gateway, inspection, fatal }: StatusFacts): string | undefined {
  const { state, lastExit } = gateway.inspect();
  if (fatal !== undefined) return fatal.message;
  // it may refuse before the edge listens; that it does soon changes nothing
  if (state === "refused") return `the gateway refused to start: ${lastExit?.lastLine ?? "exit code 78"}`;
  if (inspection === undefined) return edge.isListening ? "the edge does not answer" : "the edge is starting";
  if (state === "waiting" && lastExit === undefined) return "the gateway could not be started yet";
  if (state === "waiting") return `the gateway ended (${lastExit?.reason}) and is about to be started again`;
  if (gateway.observed === "hung") return "the gateway does not answer";
  if (gateway.observed === "ready") return undefined;
  return state === "external" ? "the gateway cannot be reached" : "the gateway is starting";
}
