import { withoutSecretsIn } from "../core/secrets.ts";

/** What a probe found, as it may be told: without secrets, and with nothing in it that a terminal obeys. */
export function shown<T>(found: T, secrets: readonly string[]): T {
  return plainIn(withoutSecretsIn(found, secrets)) as T;
}

function plainIn(value: unknown): unknown {
  if (typeof value === "string") return plain(value);
  if (Array.isArray(value)) return value.map(plainIn);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plainIn(inner)]));
}

/** Others choose headers, names in certificates and reasons of a close: control characters and turns of direction go. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, "\uFFFD");
}
