export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

/** Median and spread of the values that are there; `undefined` if there are none. */
export function summarize(values: readonly (number | undefined)[]): Summary | undefined {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  return {
    median: median(sorted),
    min: sorted[0] as number,
    max: sorted.at(-1) as number,
    count: sorted.length,
  };
}

/** The median of each round's own ratio: what slowed the machine for both in one round cancels out. */
export function pairedRatio(
  values: readonly (number | undefined)[],
  references: readonly (number | undefined)[],
): number | undefined {
  const ratios = values.map((value, round) => {
    const reference = references[round];
    return value === undefined || !reference ? undefined : value / reference;
  });
  return summarize(ratios)?.median;
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}
