import { pairedRatio, summarize } from "../lib/statistics.ts";
import type { MetricId } from "./metrics.ts";
import type { Results } from "./results.ts";

/** What ClawKit's relay promises, as a ratio to a peer's median. */
interface Target {
  readonly title: string;
  readonly metric: MetricId;
  readonly peer: "better" | "haproxy" | "nginx";
  readonly rule: "at least" | "at most";
  readonly ratio: number;
  /** Below the target, but still acceptable down to here. */
  readonly floor?: number;
}

const targets: readonly Target[] = [
  { title: "throughput, 256 B", metric: "smallRate", peer: "better", rule: "at least", ratio: 1, floor: 0.9 },
  {
    title: "throughput, 64 KiB",
    metric: "largeRate",
    peer: "better",
    rule: "at least",
    ratio: 1,
    floor: 0.9,
  },
  { title: "p99 at fixed half load", metric: "halfP99", peer: "better", rule: "at most", ratio: 1.25 },
  { title: "proxy CPU per message", metric: "smallCpu", peer: "haproxy", rule: "at most", ratio: 1.6 },
  { title: "memory per idle link", metric: "idlePss", peer: "nginx", rule: "at most", ratio: 1 },
];

export interface Verdict {
  readonly title: string;
  /** `≥ 1 × HAProxy`: the rule with the peer it came down to. */
  readonly rule: string;
  /** Ratio of the medians, and the median of the rounds' own ratios. */
  readonly ratio: number;
  readonly paired: number | undefined;
  readonly verdict: "met" | "above the floor" | "missed";
}

/** The targets for which both sides were measured. */
export function judge(results: Results): Verdict[] {
  return targets.flatMap((target) => {
    const own = summarize(results.values("clawkit", target.metric));
    const peer = target.peer === "better" ? results.bestPeer(target.metric) : target.peer;
    if (!own || !peer) return [];
    const peerValues = results.values(peer, target.metric);
    const reference = summarize(peerValues);
    if (!reference) return [];
    const ratio = own.median / reference.median;
    return {
      title: target.title,
      rule: `${target.rule === "at least" ? "≥" : "≤"} ${target.ratio} × ${results.title(peer)}`,
      ratio,
      paired: pairedRatio(results.values("clawkit", target.metric), peerValues),
      verdict: verdictOf(target, ratio),
    };
  });
}

function verdictOf({ rule, ratio: limit, floor }: Target, ratio: number): Verdict["verdict"] {
  if (rule === "at least" ? ratio >= limit : ratio <= limit) return "met";
  return floor !== undefined && ratio >= floor ? "above the floor" : "missed";
}
