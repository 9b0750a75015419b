import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { buildClient } from "../../scripts/build-client.ts";
import { sleep } from "./clawkit.ts";
import type { CutProxy } from "./cut-proxy.ts";
import { Random } from "./random.ts";

// A link that is cut again and again, for the tests of the client library. A soak is 10,000 messages each way and 100 cuts
// (`npm run soak:client`).

export const CUTS = Number(process.env.CLAWKIT_CLIENT_CUTS ?? 12);
export const MESSAGES = Number(process.env.CLAWKIT_CLIENT_MESSAGES ?? 1_200);

/** The longest of the outages; a soak has them of up to a minute. */
const LONGEST_OUTAGE_MS = CUTS < 100 ? 2_500 : 60_000;

export const longOutage = (proxy: CutProxy, random: Random) =>
  proxy.outage(2_000 + random.below(LONGEST_OUTAGE_MS - 2_000));

/** Cuts the link in the midst of the messages; `untilDone` says when the next cut may come. */
export async function throughCuts(
  t: TestContext,
  cut: (n: number, random: Random) => unknown,
  untilDone: (messages: number, cuts: number) => Promise<void>,
): Promise<void> {
  const random = new Random(1);
  const took: number[] = [];
  for (let n = 1; n <= CUTS; n++) {
    const startedAt = performance.now();
    const done = untilDone(Math.floor((n * MESSAGES) / CUTS), n);
    await sleep(random.below(60)); // anywhere in the talk
    await cut(n, random);
    await untilOver(t, done);
    took.push(performance.now() - startedAt);
  }
  took.sort((a, b) => a - b);
  t.diagnostic(
    `${Math.round(MESSAGES / CUTS)} messages and a cut: median ${Math.round(took[took.length >> 1]!)} ms, longest ${Math.round(took.at(-1)!)} ms`,
  );
}

/** A test that was given up does not wait on: what it started would keep the whole run. */
function untilOver(t: TestContext, done: Promise<void>): Promise<void> {
  const over = new Promise<never>((_, reject) => {
    t.signal.addEventListener("abort", () => reject(t.signal.reason), { once: true });
  });
  return Promise.race([done, over]);
}

/** The library as a page gets it. */
export async function builtLibrary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "clawkit-client-"));
  try {
    await buildClient(folder);
    return await readFile(join(folder, "index.js"), "utf8");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
