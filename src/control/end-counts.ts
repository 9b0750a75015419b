import type { EndCount, RecorderStore } from "../recorder/store.ts";

/** An edge that died is told of by the next one: what is older than this changes no more. */
const SETTLED_MS = 3_600_000;

/** Ends by bucket and cause. Counting a million takes a quarter of a second: what is settled is counted once. */
export class EndCounts {
  /** By the length of the bucket, then by its begin. */
  readonly #settled = new Map<number, Map<number, readonly EndCount[]>>();

  /** `from` is a multiple of `bucketMs`: else its buckets are others each time. */
  between(
    store: Pick<RecorderStore, "countEnds">,
    { from, to, bucketMs }: { readonly from: number; readonly to: number; readonly bucketMs: number },
  ): EndCount[] {
    const before = this.#settled.get(bucketMs);
    const settled = new Map<number, readonly EndCount[]>();
    const counts: EndCount[] = [];
    for (let at = from; at <= to; at += bucketMs) {
      const last = Math.min(at + bucketMs - 1, to);
      const own = before?.get(at) ?? store.countEnds({ from: at, to: last, bucketMs });
      if (last < to - SETTLED_MS) settled.set(at, own);
      counts.push(...own);
    }
    this.#settled.set(bucketMs, settled);
    return counts;
  }
}
