import { defaultConfig } from "../config/parse.ts";
import { ClawkitError } from "../core/errors.ts";
import { openToRead } from "../recorder/read-store.ts";
import type { RecorderStore } from "../recorder/store.ts";
import type { Told, Words } from "../recorder/story.ts";
import type { CliContext } from "./context.ts";
import { localTime, parseSince, preciseDuration } from "./output/time.ts";
import { readConfig } from "./running.ts";

const MS_PER_DAY = 24 * 60 * 60 * 1000;

/** Times and durations as this user reads them. */
export const words: Words = {
  time: (ms) => localTime(new Date(ms)),
  duration: preciseDuration,
};

/** Opens the flight recorder's store for `use`, and closes it. */
export async function withRecords<T>(context: CliContext, use: (store: RecorderStore) => T): Promise<T> {
  const isRecording = (await context.supervisorPid()) !== undefined;
  const bootId = await context.host.bootId();
  // a config that cannot be read keeps nobody from asking why
  const { recorder } = await readConfig(context).catch(() => defaultConfig());
  const now = { isRecording, wall: context.clock.wall(), bootId, maxAgeMs: recorder.maxDays * MS_PER_DAY };
  const store = openToRead(context.paths, now);
  try {
    return use(store);
  } finally {
    store.close();
  }
}

export function printTold(told: Told, context: CliContext): void {
  const { out } = context;
  out.line(out.style("bold", told.headline));
  for (const { heading, lines } of told.parts) {
    for (const [index, line] of lines.entries()) {
      const name = index === 0 ? heading : "";
      out.line(`  ${out.style("dim", name.padEnd(15))}${line}`);
    }
  }
}

/** `--since` as wall-clock milliseconds; throws USAGE for what is no time. */
export function sinceOf(text: string | undefined, context: CliContext): number | undefined {
  if (text === undefined) return undefined;
  const since = parseSince(text, context.clock.wall());
  if (since !== undefined) return since;
  throw new ClawkitError(
    "USAGE",
    `--since must be a time span (10m, 2h, 1d) or a date, not ${JSON.stringify(text)}`,
  );
}

/** `--limit` as a whole number; throws USAGE for anything else. */
export function limitOf(text: string | undefined, preset: number): number {
  if (text === undefined) return preset;
  if (/^\d{1,7}$/.test(text) && Number(text) > 0) return Number(text);
  throw new ClawkitError("USAGE", `--limit must be a whole number from 1 on, not ${JSON.stringify(text)}`);
}
