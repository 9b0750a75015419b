import { summarize } from "../lib/statistics.ts";
import { type MetricId, metrics, type Sample } from "./metrics.ts";
import type { ProxyEntry } from "./proxies/proxy.ts";

type Values = (number | undefined)[];

/** Every number measured, by proxy, metric and round. */
export class Results {
  readonly failures: string[] = [];
  readonly #proxies: readonly ProxyEntry[];
  readonly #values = new Map<string, Values>();

  constructor(proxies: readonly ProxyEntry[]) {
    this.#proxies = proxies;
  }

  add(proxy: ProxyEntry, round: number, sample: Sample): void {
    for (const [metric, value] of Object.entries(sample)) {
      const key = `${proxy.name} ${metric}`;
      const values = this.#values.get(key) ?? [];
      values[round] = value;
      this.#values.set(key, values);
    }
  }

  /** One value a round; `undefined` where a measurement failed. */
  values(proxy: ProxyEntry["name"], metric: MetricId): Values {
    return Array.from(this.#values.get(`${proxy} ${metric}`) ?? []);
  }

  /** The peer with the best median. */
  bestPeer(metric: MetricId): ProxyEntry["name"] | undefined {
    const { better } = metrics[metric];
    if (better === "neither") return undefined;
    const sign = better === "higher" ? -1 : 1;
    return this.#proxies
      .filter(({ isPeer }) => isPeer)
      .map(({ name }) => ({ name, median: summarize(this.values(name, metric))?.median }))
      .filter((peer) => peer.median !== undefined)
      .sort((a, b) => sign * ((a.median as number) - (b.median as number)))[0]?.name;
  }

  title(name: ProxyEntry["name"]): string {
    return this.#proxies.find((proxy) => proxy.name === name)?.title ?? name;
  }

  toJSON(): Record<string, Record<string, Values>> {
    const ids = Object.keys(metrics) as MetricId[];
    return Object.fromEntries(
      this.#proxies.map(({ name }) => [
        name,
        Object.fromEntries(
          ids.map((id) => [id, this.values(name, id)]).filter(([, values]) => (values?.length ?? 0) > 0),
        ),
      ]),
    );
  }
}
