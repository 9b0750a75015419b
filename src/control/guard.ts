import type { IncomingMessage } from "node:http";
import { attribute } from "../protocol/attribution.ts";
import { headerValues } from "../protocol/headers.ts";
import { ApiError } from "./api-error.ts";

/** Where a server of the control API can be reached. */
export interface Front {
  readonly port: number;
  readonly isTls: boolean;
  /** The edge stands in front and says who its peer is; else the peer is the socket's. */
  readonly isBehindEdge: boolean;
}

/** The edge's word, on a socket that only the edge (and its user) can open. */
const PEER = "x-clawkit-peer";

/** The peer's address. Throws FORBIDDEN for whoever is not on this machine, or came by another name. */
export function admit(request: IncomingMessage, front: Front): string {
  const peer = peerOf(request, front);
  if (!isLoopback(peer)) {
    throw new ApiError(
      "FORBIDDEN",
      `The console is served to this machine only, and ${peer} is another: use ssh -L ${front.port}:127.0.0.1:${front.port}`,
    );
  }
  checkHost(request, front);
  checkOrigin(request, front);
  return peer;
}

/** A page of another site can make a browser send a request, and cannot hide that it did. */
export function checkSameSite(request: IncomingMessage): void {
  const site = request.headers["sec-fetch-site"];
  if (site === undefined || site === "same-origin" || site === "none") return;
  throw new ApiError("FORBIDDEN", `The request comes from a page of another site (Sec-Fetch-Site: ${site})`);
}

function peerOf(request: IncomingMessage, { isBehindEdge }: Front): string {
  if (isBehindEdge) return headerValues(request.rawHeaders, PEER)[0] ?? "an unnamed peer";
  const address = (request.socket.remoteAddress ?? "an unnamed peer").replace(/^::ffff:/, "");
  const peer = { address, isLoopback: isLoopback(address), isTrustedProxy: false, isTls: false };
  // who comes through a proxy on this machine is not on this machine
  const attribution = attribute(request.rawHeaders, peer, { upstreamTrustsEdge: true });
  if ("refusal" in attribution) throw new ApiError("FORBIDDEN", "The console is not served through a proxy");
  return address;
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}

/** DNS rebinding: a name of somebody else may lead here, and then it stands in Host. */
function checkHost(request: IncomingMessage, { port, isTls }: Front): void {
  const hosts = headerValues(request.rawHeaders, "host");
  const host = hosts.length === 1 ? hosts[0]! : "";
  const match = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::(\d{1,5}))?$/i.exec(host);
  const preset = isTls ? 443 : 80;
  if (match !== null && Number(match[2] ?? preset) === port) return;
  throw new ApiError(
    "FORBIDDEN",
    `The console answers as localhost:${port} or 127.0.0.1:${port}, not as ${JSON.stringify(host.slice(0, 100))}`,
  );
}

function checkOrigin(request: IncomingMessage, { isTls }: Front): void {
  const origins = headerValues(request.rawHeaders, "origin");
  if (origins.length === 0) return; // no browser, or a page that only reads its own site
  const own = `${isTls ? "https" : "http"}://${request.headers.host}`;
  if (origins.length === 1 && origins[0] === own) return;
  throw new ApiError(
    "FORBIDDEN",
    `Pages of ${JSON.stringify(origins[0]!.slice(0, 100))} may not use the console`,
  );
}
