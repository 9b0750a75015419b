import { printable } from "../core/printable.ts";
import { withoutSecretsIn } from "../core/secrets.ts";

/** What a probe found, as it may be told: without secrets, and with nothing in it that a terminal obeys. */
export function shown<T>(found: T, secrets: readonly string[]): T {
  return plainIn(withoutSecretsIn(found, secrets)) as T;
}

function plainIn(value: unknown): unknown {
  if (typeof value === "string") return printable(value);
  if (Array.isArray(value)) return value.map(plainIn);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plainIn(inner)]));
}
