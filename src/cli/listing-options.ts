import { ClawkitError } from "../core/errors.ts";
import type { CliContext } from "./context.ts";
import { parseSince } from "./output/time.ts";

/** `--since` as wall-clock milliseconds; throws USAGE for what is no time. */
export function sinceOf(text: string | undefined, context: CliContext): number | undefined {
  if (text === undefined) return undefined;
  const since = parseSince(text, context.clock.wall());
  if (since !== undefined) return since;
  throw new ClawkitError(
    "USAGE",
    `--since must be a time span (10m, 2h, 1d), a time of day (14:03) or a date, not ${JSON.stringify(text)}`,
  );
}

/** `--limit` as a whole number; throws USAGE for anything else. */
export function limitOf(text: string | undefined, preset: number): number {
  if (text === undefined) return preset;
  if (/^\d{1,7}$/.test(text) && Number(text) > 0) return Number(text);
  throw new ClawkitError("USAGE", `--limit must be a whole number from 1 on, not ${JSON.stringify(text)}`);
}
