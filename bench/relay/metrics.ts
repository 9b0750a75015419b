/** A row of the table. */
export interface Metric {
  readonly title: string;
  readonly unit: string;
  /** Which direction is good; "neither" describes the run itself. */
  readonly better: "higher" | "lower" | "neither";
  readonly digits: number;
}

export const metrics = {
  smallRate: { title: "64 × 8 in flight × 256 B", unit: "msg/s", better: "higher", digits: 0 },
  smallP99: { title: "the same, p99", unit: "ms", better: "lower", digits: 1 },
  smallCpu: { title: "the same, proxy CPU per message", unit: "µs", better: "lower", digits: 1 },
  largeRate: { title: "64 × 64 KiB", unit: "msg/s", better: "higher", digits: 0 },
  largeCpu: { title: "the same, proxy CPU per message", unit: "µs", better: "lower", digits: 0 },
  halfP50: { title: "fixed half load, p50", unit: "ms", better: "lower", digits: 2 },
  halfP99: { title: "fixed half load, p99", unit: "ms", better: "lower", digits: 2 },
  halfCpu: { title: "fixed half load, proxy CPU per message", unit: "µs", better: "lower", digits: 1 },
  roundtripP50: { title: "one client's round trip, p50", unit: "µs", better: "lower", digits: 0 },
  roundtripP99: { title: "one client's round trip, p99", unit: "µs", better: "lower", digits: 0 },
  idlePss: { title: "memory per idle link", unit: "KiB", better: "lower", digits: 1 },
  generatorShare: {
    title: "load generator's CPU, saturated",
    unit: "% of a core",
    better: "neither",
    digits: 0,
  },
  backendShare: { title: "backend's CPU, saturated", unit: "% of a core", better: "neither", digits: 0 },
  otherShare: { title: "other work on the machine", unit: "% of a core", better: "neither", digits: 0 },
  lateP99: { title: "generator late at half load, p99", unit: "ms", better: "neither", digits: 2 },
} as const satisfies Record<string, Metric>;

export type MetricId = keyof typeof metrics;
export type Sample = Partial<Record<MetricId, number>>;
