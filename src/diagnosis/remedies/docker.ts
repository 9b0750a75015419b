import type { DockerEngine } from "../../host/docker.ts";
import type { Container } from "../../host/docker-container.ts";
import { isInstalledBeside } from "../facts/beside-containers.ts";
import {
  engineOf,
  type GatewayContainers,
  gatewayContainers,
  isUp,
  lastSeen,
} from "../facts/gateway-containers.ts";
import type { Machine } from "../machine.ts";
import type { Risk } from "../types.ts";
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

/** What ended earlier may have been given up, whatever its end looks like. */
const RECENT_MS = 3_600_000;

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
      risk: await riskOf(gateway, machine),
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
    const isOnPurpose = has(examination, "ended-planned-stop", "ended-planned-stop-likely");
    return {
      what: `start container ${gateway.name}, which ended at ${new Date(lastSeen(gateway)).toISOString()}`,
      risk: isOnPurpose ? "disruptive" : await riskOf(gateway, machine),
      settleMs: START_MS,
      apply: () => engine.start(gateway.id),
    };
  },
};

/** It runs and fails its check, and Docker leaves it so. */
export const restartContainer: Repair = {
  id: "restart-container",
  helpsWith: ["docker-unhealthy"],
  async plan({ machine, examination }) {
    if (!has(examination, "container-unhealthy")) return undefined;
    const found = await containersHere(machine);
    if (found?.gateway?.state !== "running") return undefined;
    const { engine, gateway } = found;
    return {
      what: `restart container ${gateway.name}; connected clients lose their connection`,
      risk: "disruptive",
      settleMs: START_MS,
      apply: () => engine.restart(gateway.id),
    };
  },
};

/** Bringing it back is what anybody wants, if it just ended and nothing else here is to serve the port. */
async function riskOf(container: Container, machine: Machine): Promise<Risk> {
  const isRecent = machine.clock.wall() - lastSeen(container) < RECENT_MS;
  return isRecent && !(await isInstalledBeside(machine, container)) ? "safe" : "disruptive";
}

/** The containers as they are now; undefined where there is no engine, or it does not answer. */
export async function containersHere(
  machine: Machine,
): Promise<(GatewayContainers & { readonly engine: DockerEngine }) | undefined> {
  const engine = await engineOf(machine);
  return engine === undefined ? undefined : { engine, ...(await gatewayContainers(machine, engine)) };
}
