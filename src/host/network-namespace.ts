import { readFile } from "node:fs/promises";
import { parseListeners } from "./linux.ts";

/**
 * The addresses at which a container's processes listen on `port`, in its own network. `pid` is one of its processes,
 * as its engine says: its engine may be on another (virtual) machine, so that here it is somebody else's. Undefined
 * unless its cgroup proves that it is the container's.
 */
export async function listenersInside(
  pid: number,
  containerId: string,
  port: number,
): Promise<string[] | undefined> {
  const read = (name: string) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => undefined);
  const [cgroup, tcp, tcp6] = await Promise.all([read("cgroup"), read("net/tcp"), read("net/tcp6")]);
  if (containerId === "" || !cgroup?.includes(containerId) || tcp === undefined) return undefined;
  return [tcp, tcp6 ?? ""].flatMap((table) => parseListeners(table, port)).map(({ address }) => address);
}
