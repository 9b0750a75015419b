import { readFile } from "node:fs/promises";
import type { PortRule } from "./types.ts";

/** Linux lets everybody listen from this port on, and below it only who has CAP_NET_BIND_SERVICE (ip(7)). */
export async function linuxPortRule(
  port: number,
  uid: number | undefined,
  path = "/proc/sys/net/ipv4/ip_unprivileged_port_start",
): Promise<PortRule | undefined> {
  const start = Number(await readFile(path, "utf8").catch(() => Number.NaN));
  if (uid === 0 || !(port < start)) return undefined;
  const detail = `only root may listen on port ${port}: net.ipv4.ip_unprivileged_port_start is ${start}`;
  return { kind: "privileged", detail };
}

/** What `netsh interface ipv4 show excludedportrange protocol=tcp` prints; its words are translated. */
export function parseExcludedPorts(text: string, port: number): PortRule | undefined {
  for (const line of text.split("\n")) {
    // with a `*` somebody reserved it on purpose, maybe for this very gateway
    const [, from, to] = /^\s*(\d+)\s+(\d+)\s*$/.exec(line) ?? [];
    if (from === undefined || port < Number(from) || port > Number(to)) continue;
    return { kind: "excluded", detail: `Windows keeps ports ${from} to ${to} for itself` };
  }
  return undefined;
}
