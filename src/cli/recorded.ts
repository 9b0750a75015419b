import { defaultConfig } from "../config/parse.ts";
import { openToRead } from "../recorder/read-store.ts";
import type { RecorderStore } from "../recorder/store.ts";
import type { Told, Words } from "../recorder/story.ts";
import type { CliContext } from "./context.ts";
import { localTime, preciseDuration } from "./output/time.ts";
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
