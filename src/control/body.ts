import type { IncomingMessage } from "node:http";
import { ApiError } from "./api-error.ts";

/** No request but a pasted log needs more. */
const MAX_JSON_BYTES = 64 * 1024;

/** The body, up to a limit. Throws TOO_LARGE. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const refuse = () => new ApiError("TOO_LARGE", `The body is larger than ${maxBytes} bytes`);
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw refuse();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw refuse();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** An object that was sent as JSON. Throws NOT_JSON, BAD_REQUEST. */
export async function readJson(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  // a form of another site's page cannot have this type
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) {
    throw new ApiError("NOT_JSON", "A change is sent as application/json");
  }
  const text = (await readBody(request, MAX_JSON_BYTES)).toString();
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    // said below
  }
  throw new ApiError("BAD_REQUEST", "The body must be a JSON object");
}

/** A text of a body. Throws BAD_REQUEST if it is missing, empty or too long. */
export function textIn(body: Readonly<Record<string, unknown>>, key: string, maxBytes: number): string {
  const value = body[key];
  if (typeof value === "string" && value.trim() !== "" && Buffer.byteLength(value) <= maxBytes) return value;
  throw new ApiError("BAD_REQUEST", `${key} must be a text of 1 to ${maxBytes} bytes`);
}
