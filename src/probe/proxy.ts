import type { ProbeTarget } from "./target.ts";

/** A proxy that the environment names for a target. */
export interface EnvProxy {
  /** The variable. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** The proxy that clients which follow the environment take to the target; undefined if they go straight. */
export function envProxy(env: NodeJS.ProcessEnv, target: ProbeTarget): EnvProxy | undefined {
  const names = target.isTls ? ["HTTPS_PROXY", "https_proxy"] : ["HTTP_PROXY", "http_proxy"];
  const name = [...names, "ALL_PROXY", "all_proxy"].find((one) => env[one]);
  if (name === undefined || isExcluded(env.no_proxy || env.NO_PROXY || "", target)) return undefined;
  const text = env[name]!;
  const url = URL.canParse(text)
    ? new URL(text)
    : URL.canParse(`http://${text}`)
      ? new URL(`http://${text}`)
      : undefined;
  if (url === undefined || url.protocol !== "http:") return undefined; // SOCKS is another protocol
  return { name, host: url.hostname.replace(/^\[|\]$/g, ""), port: url.port === "" ? 80 : Number(url.port) };
}

/** As curl reads it: names with what ends in them, `*`, with or without a port. */
function isExcluded(list: string, { host, port }: ProbeTarget): boolean {
  return list
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => {
      if (entry === "") return false;
      if (entry === "*") return true;
      const match = /^(.*?)(?::(\d+))?$/.exec(entry)!;
      if (match[2] !== undefined && Number(match[2]) !== port) return false;
      const name = match[1]!.replace(/^\*?\./, "");
      return host.toLowerCase() === name || host.toLowerCase().endsWith(`.${name}`);
    });
}
