import { localHost, localUrl } from "../config/local-url.ts";
import { bindAddresses } from "../config/resolve.ts";
import { ClawkitError } from "../core/errors.ts";
import type { Target } from "./machine.ts";

/** The address as a target. Throws USAGE for what is no ws, wss, http or https URL. */
export function parseTarget(text: string): Target {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `ws://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
  if (url === undefined || !/^(ws|http)s?:$/.test(url.protocol) || url.hostname === "") {
    throw new ClawkitError("USAGE", `--url must be a ws:// or wss:// address, not ${JSON.stringify(text)}`);
  }
  const isTls = url.protocol === "wss:" || url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? (isTls ? 443 : 80) : Number(url.port);
  const path = url.pathname;
  return { url: `${isTls ? "wss" : "ws"}://${url.host}`, host, port, path, isTls, isLocal: isLoopback(host) };
}

/** The gateway of this machine, at the address that it binds; a wildcard is reached by loopback. */
export function localTarget(port: number, isTls: boolean, bind = "loopback"): Target {
  const host = localHost(bindAddresses(bind).map(({ address }) => address))!;
  return { url: localUrl(host, port, isTls), host, port, path: "/", isTls, isLocal: true };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\./.test(host);
}
