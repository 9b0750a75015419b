import { ClawkitError } from "../../core/errors.ts";
import type { ProcessFacts } from "../../host/types.ts";
import { familyOf, holdsLock, ownerOf } from "../facts/owner.ts";
import { get } from "../facts/probe.ts";
import type { Machine } from "../machine.ts";
import { has } from "./shared.ts";
import type { Actions, Repair } from "./types.ts";

const SETTLE_MS = 15_000;

/** Looks at a gateway's health before it is ended, and the pause between them. */
const HEALTH_LOOKS = 3;
const HEALTH_PAUSE_MS = 500;

/** OpenClaw drains for up to 315 s when it is asked to stop; what hangs does not. */
const GRACE_MS = 5_000;
const POLL_MS = 50;

/** Ends what a killed supervisor of ours left behind: pid and start time are those of our run log. */
export const endLeftovers: Repair = {
  id: "end-leftovers",
  helpsWith: ["wedged-process", "port-conflict", "ended-without-record", "event-loop-blocked"],
  async plan({ machine, examination, actions }) {
    if ((await machine.status()).supervisor.pid !== null || !has(examination, "port-ours")) return undefined;
    return {
      what: `end what a killed supervisor left on port ${machine.target.port}`,
      risk: "safe",
      apply: actions.endLeftovers,
    };
  },
};

/** Lets a stopped process of ours, or an OpenClaw gateway, go on: nothing of it is lost. */
export const continueStopped: Repair = {
  id: "continue-process",
  helpsWith: ["wedged-process", "port-conflict"],
  async plan({ machine, actions }) {
    const stopped = (await gatewaysOf(machine)).filter(({ state }) => state === "stopped");
    if (stopped.length === 0) return undefined;
    const pids = stopped.map(({ pid }) => pid).join(", ");
    return {
      what: `let the stopped gateway process go on (SIGCONT to pid ${pids})`,
      risk: "disruptive",
      settleMs: SETTLE_MS,
      apply: async () => {
        for (const one of stopped) await signal(one, "SIGCONT", actions);
      },
    };
  },
};

/** Ends an OpenClaw gateway that holds the port and does not answer. Nothing but OpenClaw's own gateways, ever. */
export const endWedged: Repair = {
  id: "end-hung-gateway",
  helpsWith: ["event-loop-blocked", "wedged-process", "port-conflict"],
  async plan({ machine, examination, actions }) {
    if (!has(examination, "http-silent") || !has(examination, "port-family")) return undefined;
    if (has(examination, "gateway-young", "starting-up")) return undefined; // a cold start takes its time
    const owners = await machine.host.portOwners(machine.target.port);
    const hung = (await familyOf(machine)).find(
      ({ pid, user, state }) =>
        state !== "stopped" && owners.some((owner) => owner.pid === pid) && isSameUser(user, machine),
    );
    if (hung === undefined || !(await holdsLock(hung, machine))) return undefined;
    return {
      what: `end the OpenClaw gateway that holds port ${machine.target.port} and does not answer (pid ${hung.pid})`,
      risk: "disruptive",
      apply: () => end(hung, machine, actions),
    };
  },
};

/** Ours by our run log; of OpenClaw's only one of this user that holds the port, or the lock of this state folder. */
async function gatewaysOf(machine: Machine): Promise<ProcessFacts[]> {
  const holders = (await machine.host.portOwners(machine.target.port)).map(({ pid }) => pid);
  const found: ProcessFacts[] = [];
  for (const one of await machine.processes()) {
    const owner = await ownerOf(one, machine);
    const isHere = holders.includes(one.pid) || (await holdsLock(one, machine));
    if (owner === "ours" || (owner === "family" && isHere && isSameUser(one.user, machine))) found.push(one);
  }
  return found;
}

function isSameUser(user: string | undefined, { userName }: Machine): boolean {
  return user !== undefined && user === userName;
}

async function failsHealth({ target }: Machine): Promise<boolean> {
  for (let i = 0; i < HEALTH_LOOKS; i++) {
    if ((await get(target, "/healthz")).kind !== "silent") return false;
    await pause(HEALTH_PAUSE_MS);
  }
  return true;
}

async function end(hung: ProcessFacts, machine: Machine, actions: Actions): Promise<void> {
  if (!(await failsHealth(machine))) {
    throw new ClawkitError("CONTROL_FAILED", `Not ended: pid ${hung.pid} answers again`);
  }
  await signal(hung, "SIGTERM", actions);
  if (await isGoneWithin(GRACE_MS, hung, machine)) return;
  await actions.signal(hung, "SIGKILL");
  if (await isGoneWithin(GRACE_MS, hung, machine)) return;
  throw new ClawkitError("CONTROL_FAILED", `Cannot end pid ${hung.pid}: it is there after SIGKILL`);
}

async function isGoneWithin(
  ms: number,
  { pid, startTime }: ProcessFacts,
  { host, target }: Machine,
): Promise<boolean> {
  for (let waited = 0; waited < ms; waited += POLL_MS) {
    const now = await host.process(pid);
    if (now !== undefined && now.startTime !== startTime) return true; // its pid is another's
    const isOver = now === undefined || now.state === "zombie";
    // threads of a process that is being killed hold its port a moment longer, and nobody is named for it then
    const owners = isOver ? await host.portOwners(target.port) : [];
    if (isOver && owners.every((owner) => owner.pid !== undefined && owner.pid !== pid)) return true;
    await pause(POLL_MS);
  }
  return false;
}

async function signal(one: ProcessFacts, name: NodeJS.Signals, actions: Actions): Promise<void> {
  if (await actions.signal(one, name)) return;
  throw new ClawkitError(
    "CONTROL_FAILED",
    `Cannot send ${name} to pid ${one.pid}: it is gone, or another user's`,
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
