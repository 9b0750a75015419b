import { messageOf } from "../../core/errors.ts";
import type { Look, Machine, Target } from "../machine.ts";
import { parseTarget } from "../target.ts";
import type { Fact } from "../types.ts";
import { type ClientAddress, clientAddresses, readConfig } from "./client-addresses.ts";
import { authority, get, speaksTls } from "./probe.ts";

/** OpenClaw's files about its clients, whichever gateway they are clients of. Other machines are not asked. */
export const clientSettings: Look = {
  id: "client-settings",
  what: "where OpenClaw's files send the clients of this machine",
  async look(machine) {
    if (!machine.target.isLocal) return [];
    const addresses = await clientAddresses(machine);
    const found = await Promise.all(addresses.map((one) => factsOf(one, machine.target)));
    return [...found.flat(), ...(await proxyFacts(machine))];
  },
};

async function factsOf({ path, name, url }: ClientAddress, gateway: Target): Promise<Fact[]> {
  const wrong = (why: string): Fact[] => [{ id: "client-url-wrong", detail: `${name} ${why}`, source: path }];
  let target: Target;
  try {
    target = parseTarget(url);
  } catch (error) {
    return wrong(`is no address: ${messageOf(error)}`);
  }
  const isRight = target.port === gateway.port && target.isTls === gateway.isTls;
  if (!target.isLocal || isRight) return [];
  const { kind } = await get(target, "/healthz");
  if (kind === "refused") return wrong(`sends clients to ${authority(target)}, where nobody listens`);
  if (kind === "plain") return wrong(`says wss://, and ${authority(target)} does not speak TLS`);
  const wantsTls = kind === "alert" || (kind === "reset" && !target.isTls && (await speaksTls(target)));
  return wantsTls ? wrong(`says ws://, and ${authority(target)} speaks TLS`) : [];
}

/**
 * OpenClaw's own proxy leaves loopback alone, unless it is told otherwise (docs.openclaw.ai/security/network-proxy); a
 * proxy on this machine may know the way back.
 */
async function proxyFacts({ openclawConfigPath: path, env }: Machine): Promise<Fact[]> {
  const proxy = (await readConfig(path))?.proxy as Record<string, unknown> | undefined;
  const url = proxy?.proxyUrl ?? env.OPENCLAW_PROXY_URL;
  if (typeof url !== "string" || !URL.canParse(url) || proxy?.enabled === false) return [];
  const mode = proxy?.loopbackMode;
  const isCaptured = mode === "block" || (mode === "proxy" && !isLoopback(new URL(url).hostname));
  if (!isCaptured) return [];
  const does = mode === "block" ? "refuses connections to" : "sends through a proxy elsewhere what is for";
  return [
    { id: "openclaw-proxy-captures", detail: `proxy.loopbackMode "${mode}" ${does} 127.0.0.1`, source: path },
  ];
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}
