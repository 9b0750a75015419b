import type { DockerEngine } from "../../host/docker.ts";
import {
  engineOf,
  type GatewayContainers,
  gatewayContainers,
  isUp,
  runsGateway,
} from "../facts/gateway-containers.ts";
import type { Machine } from "../machine.ts";
import { has } from "./shared.ts";
import type { Repair } from "./types.ts";

/** A cold start of OpenClaw takes 8 to 24 s, its first checks of health come on top. */
const START_MS = 90_000;

/** With these a start would end at once. */
const ENDS_AT_ONCE = [
  "ended-config-refused-at-startup",
  "ended-start-failed",
  "ended-start-failed-likely",
  "config-invalid-said",
  "config-key-said",
  "start-blocked-said",
];

const POLICY = { name: "unless-stopped", maxRetries: 0 } as const;

/** Docker then brings it back after any end, but one that it was asked for. */
export const setRestartPolicy: Repair = {
  id: "docker-restart-policy",
  helpsWith: ["docker-no-restart-policy"],
  async plan({ machine, examination }) {
    if (!has(examination, "container-no-restart-policy")) return undefined;
    const found = await containersHere(machine);
    if (found?.gateway === undefined) return undefined;
    const { engine, gateway } = found;
    const old = gateway.restartPolicy;
    return {
      what: `set the restart policy of container ${gateway.name} to ${POLICY.name}`,
      risk: "safe",
      undo: [{ kind: "restart-policy", endpoint: engine.endpoint, container: gateway.id, policy: old }],
      diff: [`- restart: ${old.name || "no"}`, `+ restart: ${POLICY.name}`],
      apply: () => engine.setRestartPolicy(gateway.id, POLICY),
    };
  },
};

/** Starts a gateway's container that is down. */
export const startContainer: Repair = {
  id: "start-container",
  helpsWith: "any",
  async plan({ machine, examination }) {
    if (!has(examination, "container-of-gateway") || !has(examination, "port-free")) return undefined;
    if (has(examination, ...ENDS_AT_ONCE)) return undefined;
    const found = await containersHere(machine);
    if (found?.gateway === undefined || isUp(found.gateway)) return undefined;
    const { engine, gateway } = found;
    return {
      what: `start container ${gateway.name}`,
      // who stopped it on purpose is asked first
      risk: has(examination, "ended-planned-stop", "ended-planned-stop-likely") ? "disruptive" : "safe",
      settleMs: START_MS,
      apply: () => engine.start(gateway.id),
    };
  },
};

/** It runs and fails its check, and Docker leaves it so. Only what is a gateway by its first process is ever ended. */
export const restartContainer: Repair = {
  id: "restart-container",
  helpsWith: ["docker-unhealthy"],
  async plan({ machine, examination }) {
    if (!has(examination, "container-unhealthy")) return undefined;
    const found = await containersHere(machine);
    if (found?.gateway?.state !== "running" || !runsGateway(found.gateway)) return undefined;
    const { engine, gateway } = found;
    return {
      what: `restart container ${gateway.name}; connected clients lose their connection`,
      risk: "disruptive",
      settleMs: START_MS,
      apply: () => engine.restart(gateway.id),
    };
  },
};

/** The containers as they are now; undefined where there is no engine, or it does not answer. */
export async function containersHere(
  machine: Machine,
): Promise<(GatewayContainers & { readonly engine: DockerEngine }) | undefined> {
  const engine = await engineOf(machine);
  return engine === undefined ? undefined : { engine, ...(await gatewayContainers(machine, engine)) };
}
