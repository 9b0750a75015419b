import { withoutSecretsIn } from "../core/secrets.ts";
import type { Step } from "./types.ts";

/** A step as it may be told: without secrets, and with nothing in it that a terminal obeys. */
export function shown(step: Step, secrets: readonly string[]): Step {
  const clean = withoutSecretsIn(step, secrets);
  return { ...clean, detail: plain(clean.detail) };
}

/** Others choose headers, names in certificates and reasons of a close: control characters and turns of direction go. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, "\uFFFD");
}
