import type { Machine } from "../lib/machine.ts";
import { summarize } from "../lib/statistics.ts";
import { formatNumber, markdownTable } from "../lib/table.ts";
import { type MetricId, metrics } from "./metrics.ts";
import type { ProxyEntry } from "./proxies/proxy.ts";
import type { Results } from "./results.ts";
import type { Settings } from "./settings.ts";
import { judge } from "./targets.ts";

export interface Report {
  readonly machine: Machine;
  /** Versions by title. */
  readonly versions: Readonly<Record<string, string>>;
  /** Why some proxies are not in the table. */
  readonly missing: readonly string[];
  readonly settings: Settings;
  readonly halfRate: number;
  readonly proxies: readonly ProxyEntry[];
  readonly results: Results;
  /** ISO date. */
  readonly date: string;
}

export function renderReport(report: Report): string {
  const { settings, missing, results } = report;
  const verdicts = judge(results);
  const parts = [
    `Medians of ${settings.rounds} rounds of ${settings.seconds} s; × is the ratio to the better of HAProxy and ` +
      "nginx; brackets hold the lowest and highest round. The proxies take turns within each round; load " +
      "generator, proxy and backend share the cores, so compare columns, not tables. Memory is PSS at " +
      `${formatNumber(settings.idleLinks)} links that have each echoed one message. ${halfLoadText(report)}`,
    resultTable(report),
    ...(verdicts.length > 0
      ? [
          markdownTable(
            ["target", "rule", "ratio of medians", "median of rounds' ratios", "verdict"],
            verdicts.map(({ title, rule, ratio, paired, verdict }) => [
              title,
              rule,
              formatNumber(ratio, 2),
              paired === undefined ? "–" : formatNumber(paired, 2),
              verdict,
            ]),
          ),
        ]
      : []),
    machineText(report),
    ...[...missing, ...results.failures].map((line) => `Not measured: ${line}.`),
    `Repeat with: \`${settings.command}\``,
  ];
  return parts.join("\n\n");
}

/** The fixed load is set once, before the rounds: if the machine changes speed, it is no half load any more. */
function halfLoadText({ halfRate, results, proxies }: Report): string {
  const text = `The fixed half load is ${formatNumber(halfRate)} msg/s over 64 connections`;
  const medians = proxies
    .filter(({ isPeer }) => isPeer)
    .map(({ name }) => summarize(results.values(name, "smallRate"))?.median)
    .filter((median) => median !== undefined);
  if (medians.length === 0) return `${text}.`;
  const share = halfRate / Math.min(...medians);
  const caution = share < 0.35 || share > 0.65 ? " **That is no half load: measure again.**" : "";
  return `${text}: ${formatNumber(share * 100)} % of what the slower peer managed in the rounds.${caution}`;
}

function resultTable({ proxies, results }: Report): string {
  const rows = (Object.keys(metrics) as MetricId[])
    .filter((id) => proxies.some(({ name }) => results.values(name, id).length > 0))
    .map((id) => [
      `${metrics[id].title} (${metrics[id].unit})`,
      ...proxies.map(({ name }) => cell(results, name, id)),
    ]);
  return markdownTable(["", ...proxies.map(({ title }) => title)], rows);
}

/** `45,100 ×0.97 [34,800–50,000]` */
function cell(results: Results, name: ProxyEntry["name"], id: MetricId): string {
  const { digits } = metrics[id];
  const summary = summarize(results.values(name, id));
  if (!summary) return "–";
  const best = results.bestPeer(id);
  const reference = best && name !== "direct" && summarize(results.values(best, id))?.median;
  const ratio = reference ? ` ×${formatNumber(summary.median / reference, 2)}` : "";
  const spread = `[${formatNumber(summary.min, digits)}–${formatNumber(summary.max, digits)}]`;
  return `**${formatNumber(summary.median, digits)}**${ratio} ${spread}`;
}

function machineText({ machine, versions, date }: Report): string {
  const programs = Object.entries({ Node: machine.node, ...versions });
  return (
    `Measured ${date} on ${machine.cores} cores of ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}, ` +
    `Linux ${machine.kernel}, load ${machine.load} before the run; ` +
    `${programs.map(([title, version]) => `${title} ${version}`).join(", ")}.`
  );
}
