import type { OverallState, Status } from "../../core/control.ts";
import type { NetworkTimer } from "../../core/network-timer.ts";
import type { CliContext } from "../context.ts";
import { humanDuration, localTime } from "./time.ts";

const COLOUR: Readonly<Record<OverallState, "green" | "yellow" | "red">> = {
  healthy: "green",
  starting: "yellow",
  stopping: "yellow",
  unhealthy: "red",
  stopped: "red",
  foreign: "red",
};

/** The service that was installed for this gateway, as its manager sees it. */
export interface ServiceStatus {
  readonly manager: string;
  readonly name: string;
  readonly state: string;
  readonly isRunning: boolean;
  readonly definitionPath: string;
}

/** Networks that a person is shown; all are in `--json`. */
const SHOWN_NETWORKS = 5;

/** `gateway status` for people. */
export function renderStatus(status: Status, context: CliContext, service: ServiceStatus | null): void {
  const { out } = context;
  const { gateway, edge, supervisor } = status;
  const row = (name: string, text: string) => out.line(`  ${name.padEnd(11)}${text}`);
  const why = status.reason === undefined ? "" : `: ${status.reason}`;
  const words = { foreign: "not running, and its port is taken", stopped: "not running" }[
    status.state as string
  ];
  out.line(`Gateway ${out.style(COLOUR[status.state], words ?? status.state)}${why}`);
  if (service !== null) row("service", `${service.name} (${service.manager}), ${service.state}`);
  if (status.state === "foreign") {
    const { pid, command } = status.portOwner!;
    row(
      "port",
      `${status.port}, held by ${pid === null ? "a process of another user" : `pid ${pid} (${command})`}`,
    );
    return;
  }
  if (status.state === "stopped") {
    row("port", `${status.port}, free`);
    out.line(`Start it with: ${context.name} gateway start`);
    return;
  }
  row("url", status.url ?? "none");
  const up = gateway.upMs === null ? "" : `, up ${humanDuration(gateway.upMs)}`;
  row("gateway", `${gateway.state}, pid ${gateway.pid ?? "none"}, generation ${gateway.generation}${up}`);
  row("edge", `pid ${edge.pid ?? "none"}, ${plural(status.connections, "client")}, ${edge.held} held`);
  row("supervisor", `pid ${supervisor.pid}, up ${humanDuration(supervisor.upMs ?? 0)}`);
  for (const trouble of gateway.troubles ?? []) row("module", out.style("yellow", trouble));
  if (gateway.lastExit !== null) {
    const { at, reason, generation, lastLine } = gateway.lastExit;
    row("last exit", `${localTime(new Date(at))}: ${reason} (generation ${generation})`);
    if (lastLine !== undefined) row("last line", lastLine);
  }
  const timers = [...status.networkTimers].sort((a, b) => b.learnedAt - a.learnedAt);
  for (const timer of timers.slice(0, SHOWN_NETWORKS)) row("network", timerText(timer, context.clock.wall()));
  const others = timers.length - SHOWN_NETWORKS;
  if (others > 0) row("", `and ${plural(others, "network")} more (--json)`);
}

/** `10.1.2.0/24: pings every 11 s (silent connections died there after 18 s; learned 2 h ago; 1 trial drop)`. */
export function timerText(timer: NetworkTimer, now: number): string {
  const { network, intervalMs, killedAfterMs, learnedAt, trialDrops } = timer;
  const learned = `learned ${humanDuration(Math.max(0, now - learnedAt))} ago`;
  const drops = trialDrops === 0 ? "" : `; ${plural(trialDrops, "trial drop")}`;
  const died = `silent connections died there after ${Math.round(killedAfterMs / 1000)} s`;
  return `${network}: pings every ${Math.round(intervalMs / 1000)} s (${died}; ${learned}${drops})`;
}

function plural(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? "" : "s"}`;
}
