import { isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import { isLoopbackBind } from "../config/resolve.ts";
import type { OpenclawGateway } from "../host/openclaw-gateway.ts";
import type { Installation } from "./installation.ts";

/** Addresses that Tailscale gives (RFC 6598): 100.64.0.0/10. */
const TAILNET = /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./;

/** What the edge binds in OpenClaw's place; a text says why that cannot be told. */
export function bindOf(installation: Installation, gateway: OpenclawGateway): { bind: string } | string {
  const { bind, customBindHost, tailscaleMode } = gateway;
  switch (bind) {
    case "loopback":
    case "lan":
      return { bind };
    case "custom":
      if (customBindHost !== undefined && isIPv4(customBindHost)) return { bind: customBindHost };
      return "gateway.bind is custom and gateway.customBindHost is no IPv4 address";
    case "tailnet": {
      const address = tailnetAddress();
      if (address !== undefined) return { bind: address };
      return "gateway.bind is tailnet and this machine has no tailnet address: start Tailscale first";
    }
    case undefined:
      if (tailscaleMode !== undefined && tailscaleMode !== "off") return { bind: "loopback" };
      return { bind: automaticBind(installation) };
    case "auto":
      return { bind: automaticBind(installation) };
    default:
      return `gateway.bind is ${JSON.stringify(bind)}, which ClawKit does not know`;
  }
}

/** Whether more than this machine reaches that address: then OpenClaw must know the edge. */
export function isOpenToOthers(bind: string): boolean {
  return !isLoopbackBind(bind);
}

/** As OpenClaw chooses (net.ts of 2026.9.6): every address inside a container, else loopback. */
function automaticBind({ isInContainer }: Installation): string {
  return isInContainer ? "lan" : "loopback";
}

function tailnetAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  return addresses.find(({ address }) => TAILNET.test(address))?.address;
}
