import type { ClientIdentity } from "../../core/records.ts";

/** Characters of a name that are kept: a client chooses them. */
const MAX_NAME = 100;

/**
 * What the `connect` request of the OpenClaw protocol says of its client; undefined if the text is no such request.
 * Its `auth`, `device` and whatever else it carries are not looked at.
 */
export function readConnect(text: string): ClientIdentity | undefined {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(frame) || frame.type !== "req" || frame.method !== "connect") return undefined;
  const params = isObject(frame.params) ? frame.params : {};
  const client = isObject(params.client) ? params.client : {};
  return { clientId: name(client.id), clientVersion: name(client.version), role: name(params.role) };
}

/** A name of printable characters; anything else is none. */
function name(value: unknown): string | null {
  if (typeof value !== "string" || value === "") return null;
  return value.slice(0, MAX_NAME).replace(/[^\x20-\x7e\u00a0-\uffff]/g, "?");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
