import type { ProbeTarget } from "./target.ts";

/** A proxy that the environment names for a target. */
export interface EnvProxy {
  /** The variable. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** What to sign in with; never shown. */
  readonly authorization: string | undefined;
}

/** A variable that names a proxy of a kind that the probe does not speak to. */
export interface OtherProxy {
  readonly name: string;
  /** Such as `socks5`. */
  readonly scheme: string;
}

/** The proxy that clients which follow the environment take to the target; undefined if they go straight. */
export function envProxy(env: NodeJS.ProcessEnv, target: ProbeTarget): EnvProxy | OtherProxy | undefined {
  const names = target.isTls ? ["HTTPS_PROXY", "https_proxy"] : ["HTTP_PROXY", "http_proxy"];
  const name = [...names, "ALL_PROXY", "all_proxy"].find((one) => env[one]);
  if (name === undefined || isExcluded(env.no_proxy || env.NO_PROXY || "", target)) return undefined;
  const text = env[name]!;
  const whole = text.includes("://") ? text : `http://${text}`;
  if (!URL.canParse(whole)) return undefined;
  const url = new URL(whole);
  if (url.protocol !== "http:") return { name, scheme: url.protocol.slice(0, -1) };
  const isSignedIn = url.username !== "" || url.password !== "";
  const user = `${decoded(url.username)}:${decoded(url.password)}`;
  return {
    name,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 80 : Number(url.port),
    authorization: isSignedIn ? `Basic ${Buffer.from(user).toString("base64")}` : undefined,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % is meant as it stands
  }
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
