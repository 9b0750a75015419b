import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type StatePaths, statePaths } from "../../src/config/paths.ts";
import { startBrowser } from "../../test/helpers/browser.ts";
import { freePort } from "../lib/port.ts";
import { temporaryFolder } from "../lib/temporary.ts";
import { fillStore } from "../recorder/history.ts";
import { startBackend } from "../relay/backend-process.ts";
import { holdLinks } from "../relay/load-process.ts";
import { runClawkit } from "../relay/proxies/run-clawkit.ts";
import { type FirstContent, firstContents } from "./first-content.ts";
import { type Delay, longestDelay, probeEnvironment } from "./loop-delays.ts";
import { Visitor, wayIn } from "./visitor.ts";

export const LINKS = 5_000;

export const QUESTIONS = {
  "/overview?hours=1": "Overview, an hour",
  "/overview?hours=24": "Overview, a day",
  "/overview?hours=168": "Overview, a week",
  "/overview?hours=720": "Overview, 30 days",
  "/connections?limit=50": "Connections, open",
  "/connections?limit=50&sort=bytes&q=127": "Connections, open, filtered and sorted by bytes",
  "/connections?state=closed&limit=50": "Connections, closed",
} as const;
type Question = keyof typeof QUESTIONS;

/** When the edge's event loop was looked at: while nobody asked, pages were opened, questions asked, the doctor ran. */
export const WHILE = ["nobody", "pages", "questions", "doctor"] as const;
export type While = (typeof WHILE)[number];

export interface FullStore {
  readonly signingIn: readonly FirstContent[];
  readonly again: readonly FirstContent[];
  readonly answers: Readonly<Record<Question, readonly { readonly ms: number; readonly bytes: number }[]>>;
  readonly delays: Readonly<Record<While, readonly Delay[]>>;
}

/** A console before a store of a million rows and an edge with 5,000 connections. */
export async function measureFullStore(
  { rounds, keptStore }: { readonly rounds: number; readonly keptStore: string | undefined },
  signal: AbortSignal,
): Promise<FullStore> {
  await using stack = new AsyncDisposableStack();
  const backend = await startBackend(signal);
  stack.defer(backend.stop);
  const notes = temporaryFolder("console");
  stack.defer(notes.remove);
  const delaysPath = join(notes.path, "loop-delays");
  const port = await freePort();
  const clawkit = await runClawkit({ port, backendPort: backend.port }, signal, {
    config: {
      recorder: { maxMb: 2_048 }, // nothing of it is to be forgotten meanwhile
      gateway: { keepalive: { intervalSec: 3_600 } }, // the load generator knows echoes only, no pings
    },
    env: probeEnvironment(delaysPath),
    prepare: (folder) => putStore(statePaths(folder), keptStore),
  });
  stack.defer(clawkit.stop);
  const browser = await startBrowser();
  stack.defer(() => browser.close());

  const signingIn: FirstContent[] = [];
  const again: FirstContent[] = [];
  const answers = Object.fromEntries(
    Object.keys(QUESTIONS).map((path) => [path, [] as { ms: number; bytes: number }[]]),
  ) as Record<Question, { ms: number; bytes: number }[]>;
  const delays: Record<While, Delay[]> = { nobody: [], pages: [], questions: [], doctor: [] };

  const openPages = async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const contents = await firstContents(context, await wayIn(clawkit));
    signingIn.push(contents.signingIn);
    again.push(contents.again);
    await context.close();
  };
  const askAll = async (visitor: Visitor) => {
    for (const path of Object.keys(QUESTIONS) as Question[]) {
      const begun = performance.now();
      const { length } = await visitor.ask(path);
      answers[path].push({ ms: performance.now() - begun, bytes: length });
    }
  };
  for (let round = 1; round <= rounds; round++) {
    // the load generator holds its links for two minutes at most
    const links = await holdLinks({ port, connections: LINKS, payload: 256, warmup: 30 }, signal);
    const visitor = await Visitor.signIn(clawkit);
    await sleep(2_000); // what the opening left to write down
    const during = async (which: While, work: () => Promise<unknown>) => {
      delays[which].push(await longestDelay(delaysPath, work));
    };
    await during("nobody", () => sleep(3_000));
    await during("pages", openPages);
    await during("questions", () => askAll(visitor));
    await during("doctor", () => visitor.ask("/doctor", "POST"));
    await visitor.leave();
    await links.release();
    console.error(`round ${round}/${rounds}: ${JSON.stringify({ ...again.at(-1), ...lastOf(delays) })}`);
  }
  return { signingIn, again, answers, delays };
}

/** A full store, made now, or the one that `npm run bench:queries -- --keep` left. */
function putStore({ recorder, runDir, runLog }: StatePaths, keptStore: string | undefined): void {
  mkdirSync(runDir);
  if (keptStore === undefined) {
    console.error(`filling ${recorder}`);
    return fillStore({ store: recorder, runLog }, Date.now());
  }
  const kept = statePaths(keptStore);
  copyFileSync(kept.recorder, recorder);
  copyFileSync(kept.runLog, runLog);
}

function lastOf(delays: Record<While, Delay[]>): object {
  return Object.fromEntries(Object.entries(delays).map(([name, values]) => [name, values.at(-1)]));
}
