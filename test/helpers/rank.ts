/**
 * How often a sample of `later` is greater than one of `former`, ties being half: 0.5 where nothing tells them apart, 1 where everything
 * does (Mann and Whitney's U, as a share). Noise that both have moves it to the middle; its standard error is `errorOfShare`.
 */
export function greaterShare(former: readonly number[], later: readonly number[]): number {
  const sorted = [...former].sort((a, b) => a - b);
  const countOf = (isBelow: (one: number) => boolean) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBelow(sorted[middle]!)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  let wins = 0;
  for (const value of later) {
    wins += (countOf((one) => one < value) + countOf((one) => one <= value)) / 2;
  }
  return wins / (former.length * later.length);
}

/** Of two samples of `n` each of the same thing. */
export function errorOfShare(n: number): number {
  return Math.sqrt(1 / (6 * n));
}

/**
 * Takes `n` samples of each, one of each in turn and in an order of its own each time: whatever the machine does besides, it does to all.
 * Those before the first `warmUp` do not count.
 */
export async function alternating<Name extends string>(
  measures: Readonly<Record<Name, () => number | Promise<number>>>,
  { n, warmUp }: { readonly n: number; readonly warmUp: number },
): Promise<Record<Name, number[]>> {
  const names = Object.keys(measures) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = -warmUp; round < n; round++) {
    for (const name of names.toSorted(() => Math.random() - 0.5)) {
      const sample = measures[name]();
      const took = typeof sample === "number" ? sample : await sample;
      if (round >= 0) samples[name].push(took);
    }
  }
  return samples;
}
