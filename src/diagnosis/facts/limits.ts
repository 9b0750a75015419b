import type { Look, Machine } from "../machine.ts";
import type { Fact } from "../types.ts";
import { familyOf } from "./owner.ts";

const MB = 2 ** 20;

/** From this share of its limit on, the next allocation may be the kernel's reason to kill. */
const NEAR_SHARE = 0.95;

/** What a container, a service or a session allows the gateway. */
export const limits: Look = {
  id: "limits",
  what: "limits of the gateway's cgroup",
  async look(machine) {
    const pid = await pidOf(machine);
    const { host } = machine;
    const folder = await host.cgroupOf(pid);
    const [memory, processes] = await Promise.all([
      folder === undefined ? undefined : host.cgroupMemory(folder),
      host.cgroupPids(pid),
    ]);
    const facts: Fact[] = [];
    const { usageBytes = 0, limitBytes = Number.POSITIVE_INFINITY, oomKills = 0 } = memory ?? {};
    if (usageBytes > limitBytes * NEAR_SHARE) {
      const detail = `${mb(usageBytes)} of ${mb(limitBytes)} are used`;
      facts.push({ id: "memory-limit-near", detail, source: memory!.path });
    }
    if (oomKills > 0) {
      const detail = `the kernel has killed ${oomKills} processes there for memory, at some time`;
      facts.push({ id: "cgroup-has-killed", detail, source: memory!.path });
    }
    if (processes !== undefined && processes.count >= processes.max) {
      const detail = `it has ${processes.count} processes and threads and may have ${processes.max}`;
      facts.push({ id: "processes-used-up", detail, source: processes.path });
    }
    return facts;
  },
};

/** The gateway's, or where there is none our own: in a container that is the same group. */
async function pidOf(machine: Machine): Promise<number> {
  const { gateway } = await machine.status();
  if (gateway.pid !== null) return gateway.pid;
  return (await familyOf(machine))[0]?.pid ?? machine.pid;
}

function mb(bytes: number): string {
  return `${Math.round(bytes / MB)} MB`;
}
