import { relative } from "node:path";
import type { Container } from "../../host/docker-container.ts";
import type { Machine } from "../machine.ts";
import { proxyOf } from "./port.ts";

/** Whether a process of the machine itself listens on the target's port: neither Docker's proxy nor one in a container. */
export async function isServedByProcess(
  machine: Machine,
  containers: readonly Container[],
): Promise<boolean> {
  const { host, platform, target } = machine;
  // where the engine has a machine of its own anything may forward to it: Colima's does with ssh
  const isForwarded = ({ state, ports }: Container) =>
    state === "running" && ports.some(({ hostPort }) => hostPort === target.port);
  if (platform !== "linux" && containers.some(isForwarded)) return false;
  const pids = new Set((await machine.portOwners()).flatMap(({ pid }) => (pid === undefined ? [] : [pid])));
  const served = await Promise.all(
    [...pids].map(async (pid) => {
      const [process, cgroup] = await Promise.all([host.process(pid), host.cgroupOf(pid)]);
      if (process === undefined || proxyOf(process) !== undefined) return false;
      // with the network of the host
      return !containers.some((one) => one.pid === pid || cgroup?.includes(one.id));
    }),
  );
  return served.some(Boolean);
}

/** Whether this machine has a gateway for the target's port beside this container: ours, a service, or a plain OpenClaw. */
export async function isInstalledBeside(machine: Machine, container: Container): Promise<boolean> {
  if (await machine.hasOwnState()) return true;
  if (((await machine.services()) ?? []).length > 0) return true;
  // upstream's compose file gives the container the folder of the user
  const own = machine.openclawDirs.filter(
    (folder) => !container.mounted.some((path) => isWithin(folder, path)),
  );
  return own.length > 0 && (await machine.configuredPort()) === machine.target.port;
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || !/^(\.\.|\/|[A-Za-z]:)/.test(way);
}
