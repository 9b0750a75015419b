import { isIP } from "node:net";
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
  const host = isIP(bind) === 0 || bind === "0.0.0.0" || bind === "::" ? "127.0.0.1" : bind;
  const url = `${isTls ? "wss" : "ws"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return { url, host, port, path: "/", isTls, isLocal: true };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\./.test(host);
}
