import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import type { Config } from "../../config/schema.ts";
import { messageOf } from "../../core/errors.ts";
import type { NetworkTimer } from "../../core/network-timer.ts";
import type { Look } from "../machine.ts";
import type { Fact } from "../types.ts";

/** Networks that are told of; `gateway status` has them all. */
const SHOWN_NETWORKS = 3;

/** What our own supervisor says. */
export const ours: Look = {
  id: "ours",
  what: "ClawKit's own state",
  async look({ status, hasOwnState }) {
    const { state, reason, gateway, port, supervisor, networkTimers } = await status();
    if (supervisor.pid === null && !(await hasOwnState())) return [];
    const source = "clawkit gateway status";
    const because = reason === undefined ? "" : `: ${reason}`;
    const told =
      state === "foreign"
        ? `another program than ClawKit has port ${port}`
        : `ClawKit is ${state} on port ${port}`;
    const facts: Fact[] = [{ id: `ours-${state}`, detail: told + because, source }];
    if (supervisor.pid !== null && supervisor.upMs === null) {
      const detail = `its supervisor (pid ${supervisor.pid}) lives and does not answer`;
      facts.push({ id: "supervisor-silent", detail, source });
    }
    if (gateway.state === "hung") {
      facts.push({ id: "gateway-hung", detail: "its gateway lives and does not answer the edge", source });
    }
    for (const trouble of gateway.troubles ?? []) {
      facts.push({ id: "module-failing", detail: `the module ${trouble}`, source });
    }
    facts.push(...learnedOf(networkTimers));
    const { lastExit } = gateway;
    if (state !== "healthy" && lastExit?.lastLine !== undefined) {
      const line = `last line of generation ${lastExit.generation}`;
      facts.push({ id: "last-line", detail: lastExit.lastLine, source: line, at: lastExit.at });
    }
    return facts;
  },
};

function learnedOf(timers: readonly NetworkTimer[]): Fact[] {
  const latest = [...timers].sort((a, b) => b.learnedAt - a.learnedAt).slice(0, SHOWN_NETWORKS);
  return latest.map(({ network, intervalMs, killedAfterMs }) => ({
    id: "keepalive-shortened",
    detail: `pings go every ${seconds(intervalMs)} in ${network}, as silent connections died there after ${seconds(killedAfterMs)}`,
    source: "clawkit gateway status",
  }));
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

/** Our config, checked as a start would, and against this machine. */
export const ownConfig: Look = {
  id: "config",
  what: "ClawKit's config",
  async look(machine) {
    const { paths, hasOwnState, status } = machine;
    if (!(await hasOwnState())) return [];
    let config: Config;
    try {
      config = await machine.ownConfig();
    } catch (error) {
      return [
        {
          id: "own-config-broken",
          detail: messageOf(error).replace(`${paths.config}: `, ""),
          source: paths.config,
        },
      ];
    }
    const { bind, upstream } = config.gateway;
    const facts: Fact[] = [];
    if (isIP(bind) !== 0 && !ownAddresses().includes(bind)) {
      const detail = `gateway.bind is ${bind}, which is no address of this machine`;
      facts.push({ id: "bind-address-missing", detail, source: paths.config });
    }
    if (upstream.type === "url" && (await status()).state !== "healthy") {
      const detail = `the gateway at ${new URL(upstream.url).host} is not reached`;
      facts.push({ id: "upstream-unreachable", detail, source: paths.config });
    }
    return facts;
  },
};

function ownAddresses(): string[] {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return [...own.map(({ address }) => address), "0.0.0.0", "::"];
}
