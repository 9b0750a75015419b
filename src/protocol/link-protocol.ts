import { type Headers, headerValue } from "./headers.ts";

/**
 * What the edge and the built-in gateway say to each other about a link besides its messages
 * (docs/link-protocol.md). Unit is the message, counted per link and direction from 1.
 */

/** What the edge knows of a link that it attaches to a gateway. */
export interface LinkOffer {
  readonly link: string;
  /** Messages of the gateway that the edge has passed on, whole. */
  readonly received: number;
  /** The last message of the client that an earlier gateway may have begun to work on. */
  readonly tried: number;
  /** The last message of the client that it no longer waits for an answer to. */
  readonly stale: number;
}

/** Where a gateway is told of the links of its edge, as JSON: a `LinkList`. */
export const LINKS_PATH = "/__clawkit__/links";

/** By their ids. */
export interface LinkList {
  readonly held: readonly string[];
  /** Those whose clients said goodbye, which the gateway may not have heard: nobody comes back to them. */
  readonly closed: readonly string[];
}

const LINK = "X-Clawkit-Link";
const POSITION = "X-Clawkit-Position";
const STORED = "X-Clawkit-Stored";

export function offerHeaders({ link, received, tried, stale }: LinkOffer): Headers {
  return [LINK, link, POSITION, [received, tried, stale].join(" ")];
}

/** Undefined if a header is missing or is none of ours. */
export function readOffer(headers: Headers): LinkOffer | undefined {
  const link = headerValue(headers, LINK.toLowerCase());
  const [received, tried, stale, ...rest] = (headerValue(headers, POSITION.toLowerCase()) ?? "")
    .split(" ")
    .map(toCount);
  if (link === undefined || !/^[\w-]{1,64}$/.test(link) || rest.length > 0) return undefined;
  if (received === undefined || tried === undefined || stale === undefined) return undefined;
  return { link, received, tried, stale };
}

/** The gateway's answer to an offer: messages of the client that are in its journal. */
export function storedHeader(stored: number): string {
  return `${STORED}: ${stored}`;
}

export function readStored(headers: Headers): number | undefined {
  return toCount(headerValue(headers, STORED.toLowerCase()) ?? "");
}

/** A Pong nobody asked for (RFC 6455 §5.5.3). */
export type LinkNote =
  /** Messages up to this one are safe with whoever sends it: they need not be sent again. */
  | { readonly kind: "ack"; readonly n: number }
  /** The gateway's next message is not counted; once it is passed on, the client's message `n` is answered and void. */
  | { readonly kind: "refuse"; readonly n: number };

export function encodeNote({ kind, n }: LinkNote): Buffer {
  return Buffer.from(`${kind}:${n}`);
}

export function decodeNote(payload: Buffer): LinkNote | undefined {
  const [, kind, digits = ""] = /^(ack|refuse):(\d+)$/.exec(payload.toString("latin1")) ?? [];
  const n = toCount(digits);
  return kind === undefined || n === undefined ? undefined : { kind: kind as LinkNote["kind"], n };
}

function toCount(text: string): number | undefined {
  return /^(0|[1-9]\d{0,15})$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
}
