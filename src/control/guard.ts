import type { IncomingMessage } from "node:http";
import { AddressRanges, isLoopback, plainAddress } from "../core/address-ranges.ts";
import { attribute } from "../protocol/attribution.ts";
import { headerValues } from "../protocol/headers.ts";
import { ApiError } from "./api-error.ts";

/** Where a server of the control API can be reached. */
export interface Front {
  readonly port: number;
  readonly isTls: boolean;
  /** The edge stands in front and says who its peer is; else the peer is the socket's. */
  readonly isBehindEdge: boolean;
  /** Addresses and CIDR ranges of other machines that are let in (`console.allowFrom`). */
  readonly allowFrom: readonly string[];
  /** Further names that it answers to, with or without a port (`console.hosts`). */
  readonly hosts: readonly string[];
}

/** The edge's word, on a socket that only the edge (and its user) can open. */
const PEER = "x-clawkit-peer";

/** The peer's address. Throws FORBIDDEN for whoever is not on this machine nor listed, or came by another name. */
export function admit(request: IncomingMessage, front: Front): string {
  const peer = peerOf(request, front);
  if (!isLoopback(peer) && !new AddressRanges(front.allowFrom).includes(peer)) {
    throw new ApiError(
      "FORBIDDEN",
      `The console is served to this machine only, and ${peer} is another: use ssh -L ${front.port}:127.0.0.1:${front.port}, or list it in console.allowFrom`,
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
  const address = plainAddress(request.socket.remoteAddress ?? "an unnamed peer");
  const peer = { address, isLoopback: isLoopback(address), isTrustedProxy: false, isTls: false };
  // who comes through a proxy on this machine is not on this machine
  const attribution = attribute(request.rawHeaders, peer, { upstreamTrustsEdge: true });
  if ("refusal" in attribution) throw new ApiError("FORBIDDEN", "The console is not served through a proxy");
  return address;
}

/** DNS rebinding: a name of somebody else may lead here, and then it stands in Host. */
function checkHost(request: IncomingMessage, front: Front): void {
  const given = headerValues(request.rawHeaders, "host");
  const host = given.length === 1 ? given[0]! : "";
  const { port, hosts } = front;
  const isOwn = LOOPBACK_NAME.test(nameOf(host)) && portOf(host, front) === port;
  if (isOwn || hosts.some((listed) => isListed(host, listed, front))) return;
  throw new ApiError(
    "FORBIDDEN",
    `The console answers as ${[`localhost:${port}`, `127.0.0.1:${port}`, ...hosts].join(" or ")}, not as ${JSON.stringify(host.slice(0, 100))}`,
  );
}

const LOOPBACK_NAME = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;

const PORT = /:(\d{1,5})$/;

/** A name that is listed without a port is good with ours. */
function isListed(host: string, listed: string, front: Front): boolean {
  if (host === "" || nameOf(host).toLowerCase() !== nameOf(listed).toLowerCase()) return false;
  return portOf(host, front) === (PORT.test(listed) ? portOf(listed, front) : front.port);
}

function nameOf(host: string): string {
  return host.replace(PORT, "");
}

function portOf(host: string, { isTls }: Front): number {
  return Number(PORT.exec(host)?.[1] ?? (isTls ? 443 : 80));
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
