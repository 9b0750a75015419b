import type { ClientIdentity } from "../../core/records.ts";
import { encodeFrame, OPCODE } from "../../protocol/frames.ts";

/** Characters of a name, or an id, that are kept: a client chooses them. */
const MAX_NAME = 100;

/** The protocol bounds `retryAfterMs`; clients clamp it to the same (knowledge: openclaw.md, 1013). */
const MAX_RETRY_AFTER_MS = 2_000;

/**
 * Says whether it takes clients, from 2026.8.1 on. Its /readyz looks at the channels too: one revoked bot token, and it
 * answers 503 for ever (its docs/gateway/health.md).
 */
export const STARTED_PATH = "/startupz";

export interface ConnectRequest {
  /** Undefined for one that cannot be answered by its id. */
  readonly requestId: string | undefined;
  readonly client: ClientIdentity;
}

/**
 * What the `connect` request of the OpenClaw protocol says; undefined if the text is no such request. Its `auth`,
 * `device` and whatever else it carries are not looked at.
 */
export function readConnect(text: string): ConnectRequest | undefined {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(frame) || frame.type !== "req" || frame.method !== "connect") return undefined;
  const params = isObject(frame.params) ? frame.params : {};
  const client = isObject(params.client) ? params.client : {};
  const requestId = typeof frame.id === "string" && frame.id.length <= MAX_NAME ? frame.id : undefined;
  return {
    requestId,
    client: { clientId: name(client.id), clientVersion: name(client.version), role: name(params.role) },
  };
}

/** The first frame of every connection; a client signs the nonce. */
export function challengeFrame(nonce: string, wallMs: number): Buffer {
  return textFrame({ type: "event", event: "connect.challenge", payload: { nonce, ts: wallMs } });
}

/** What a gateway answers to `connect` while it starts: the reference client tries again, and tells nobody. */
export function startingFrame(requestId: string, retryAfterMs: number): Buffer {
  return textFrame({
    type: "res",
    id: requestId,
    ok: false,
    error: {
      code: "UNAVAILABLE",
      message: "gateway starting",
      retryable: true,
      retryAfterMs: Math.min(MAX_RETRY_AFTER_MS, Math.round(retryAfterMs)),
      details: { reason: "startup-sidecars" },
    },
  });
}

/** Without a `seq`, so that the gateway's own stay contiguous; without `restartExpectedMs` it is a stop. */
export function shutdownFrame(reason: string, restartExpectedMs?: number): Buffer {
  const payload = { reason, ...(restartExpectedMs === undefined ? {} : { restartExpectedMs }) };
  return textFrame({ type: "event", event: "shutdown", payload });
}

/** A sign of life: any event is one to its clients. */
export function tickFrame(wallMs: number): Buffer {
  return textFrame({ type: "event", event: "tick", payload: { ts: wallMs } });
}

function textFrame(frame: object): Buffer {
  return encodeFrame(OPCODE.text, Buffer.from(JSON.stringify(frame)));
}

/** A name of printable characters; anything else is none. */
function name(value: unknown): string | null {
  if (typeof value !== "string" || value === "") return null;
  return value.slice(0, MAX_NAME).replace(/[^\x20-\x7e\u00a0-\uffff]/g, "?");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
