import { freePort } from "../lib/port.ts";
import { summarize } from "../lib/statistics.ts";
import { startBackend } from "./backend-process.ts";
import { runLoad } from "./load-process.ts";
import { measures, type Situation } from "./measures.ts";
import type { ProxyEntry } from "./proxies/proxy.ts";
import { Results } from "./results.ts";
import type { Settings } from "./settings.ts";

/** Short runs that set the half load and let Node's compiler settle before anything counts. */
const CALIBRATION = { rounds: 3, seconds: 1 };

type Contestant = Pick<Situation, "proxy" | "running" | "backend">;

/** Starts every proxy once, calibrates, then measures them in turn, beginning with another one each round. */
export async function runRounds(
  proxies: readonly ProxyEntry[],
  settings: Settings,
  { signal, progress }: { signal: AbortSignal; progress: (text: string) => void },
): Promise<{ results: Results; halfRate: number }> {
  await using stack = new AsyncDisposableStack();
  const backend = await startBackend(signal);
  stack.defer(backend.stop);
  const contestants: Contestant[] = [];
  for (const proxy of proxies) {
    const running = await proxy.start(await freePort(), backend.port, signal);
    stack.defer(running.stop);
    contestants.push({ proxy, running, backend });
  }

  const { seconds, idleLinks } = settings;
  const halfRate = await calibrate(contestants, settings, signal);
  progress(`fixed half load: ${halfRate} msg/s`);
  const results = new Results(proxies);
  for (let round = 0; round < settings.rounds; round++) {
    for (const name of settings.measures) {
      for (const contestant of rotated(contestants, round)) {
        const { proxy } = contestant;
        const situation = { ...contestant, seconds, halfRate, idleLinks, signal };
        try {
          const sample = await measures[name](situation);
          results.add(proxy, round, sample);
          if (Object.keys(sample).length === 0) continue;
          progress(`round ${round + 1}/${settings.rounds} ${proxy.title}: ${describe(sample)}`);
        } catch (error) {
          signal.throwIfAborted();
          const story = `round ${round + 1}, ${name} through ${proxy.title}: ${messageOf(error)}`;
          results.failures.push(story);
          progress(story);
        }
      }
    }
  }
  return { results, halfRate };
}

async function calibrate(
  contestants: readonly Contestant[],
  settings: Settings,
  signal: AbortSignal,
): Promise<number> {
  const rates = new Map<ProxyEntry, number[]>();
  for (let round = 0; round < CALIBRATION.rounds; round++) {
    for (const { proxy, running } of rotated(contestants, round)) {
      const request = { port: running.port, seconds: CALIBRATION.seconds };
      const { perSecond } = await runLoad("throughput", request, signal).catch((cause) => {
        signal.throwIfAborted();
        throw new Error(`Cannot calibrate through ${proxy.title}: ${messageOf(cause)}`, { cause });
      });
      rates.set(proxy, [...(rates.get(proxy) ?? []), perSecond]);
    }
  }
  const medians = (group: readonly [ProxyEntry, number[]][]) =>
    group.map(([, values]) => summarize(values)?.median ?? Number.POSITIVE_INFINITY);
  const all = [...rates];
  const peers = all.filter(([proxy]) => proxy.isPeer);
  return settings.rate ?? Math.round(Math.min(...medians(peers.length > 0 ? peers : all)) / 2);
}

function rotated<Item>(items: readonly Item[], by: number): Item[] {
  const first = by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

function describe(sample: object): string {
  return Object.entries(sample)
    .map(([name, value]) => `${name} ${Number(value).toFixed(2)}`)
    .join(", ");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
