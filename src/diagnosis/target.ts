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
  return { url: `${isTls ? "wss" : "ws"}://${url.host}`, host, port, isTls, isLocal: isLoopback(host) };
}

/** The gateway of this machine. */
export function localTarget(port: number, isTls: boolean): Target {
  const url = `${isTls ? "wss" : "ws"}://127.0.0.1:${port}`;
  return { url, host: "127.0.0.1", port, isTls, isLocal: true };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\./.test(host);
}
