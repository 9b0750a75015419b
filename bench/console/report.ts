import type { describeMachine } from "../lib/machine.ts";
import { pairedRatio, type Summary, summarize } from "../lib/statistics.ts";
import { formatNumber, markdownTable } from "../lib/table.ts";
import { CONSOLES } from "./consoles.ts";
import type { Cost } from "./cost.ts";
import type { FirstContent } from "./first-content.ts";
import { type FullStore, LINKS, QUESTIONS, WHILE, type While } from "./full-store.ts";

const TITLES: Record<While, string> = {
  nobody: "nobody asks (3 s)",
  pages: "the Overview is opened twice",
  questions: "everything of the table above is asked",
  doctor: "the doctor runs (`POST doctor`)",
};

export function costText({ without, with: beside, idle }: Cost, seconds: number): string {
  const ratio = pairedRatio(beside, without)!;
  const row = (title: string, values: readonly number[]) => [title, ...cells(values, 2)];
  return [
    `CPU of the edge per 256-byte message (64 connections × 8 under way), ${without.length} pairs of ${seconds} s, the median of the pairs' ratios: **${formatNumber(ratio, 3)}** (aim ≤ 1.10).`,
    "",
    markdownTable(
      ["consoles", "CPU per message (µs)", "lowest–highest"],
      [row("none", without), row(`${CONSOLES}: 5 on the Overview, 5 on Connections, 1 on Logs too`, beside)],
    ),
    "",
    `Without a message under way these consoles cost the edge ${formatNumber(idle.with, 1)} ms of CPU per second, and it takes ${formatNumber(idle.without, 1)} ms without them.`,
  ].join("\n");
}

export function fullStoreText({ signingIn, again, answers, delays }: FullStore): string {
  const opened = (title: string, contents: readonly FirstContent[], part: keyof FirstContent) => {
    const values = contents.map((content) => content[part]);
    return [title, ...cells(values, 0)];
  };
  const asked = Object.entries(QUESTIONS).map(([path, title]) => {
    const values = answers[path as keyof typeof QUESTIONS];
    const kilobytes = summarize(values.map(({ bytes }) => bytes / 1024))!.median;
    const times = values.map(({ ms }) => ms);
    return [title, ...cells(times, 0), formatNumber(kilobytes)];
  });
  return [
    `With a store of a million closed connections and ${formatNumber(LINKS)} open ones, medians of ${again.length} rounds. Chromium, from the start of the navigation:`,
    "",
    markdownTable(
      ["the Overview has", "ms", "lowest–highest"],
      [
        opened("its sentence, opened by `clawkit console` (signs in, nothing cached)", signingIn, "sentence"),
        opened("its charts", signingIn, "charts"),
        opened("its sentence, opened again", again, "sentence"),
        opened("its charts", again, "charts"),
      ],
    ),
    "",
    "Answers of the API, through the edge:",
    "",
    markdownTable(["what", "ms", "lowest–highest", "KiB"], asked),
    "",
    "The edge's event loop: the longest time between two looks at its timers, and the most that its thread worked between two (on a busy machine the first is how long it waited for a processor), while",
    "",
    markdownTable(
      ["", "delay (ms)", "lowest–highest", "work (ms)", "lowest–highest"],
      WHILE.map((which) => [
        TITLES[which],
        ...cells(
          delays[which].map(({ wall }) => wall),
          0,
        ),
        ...cells(
          delays[which].map(({ cpu }) => cpu),
          1,
        ),
      ]),
    ),
  ].join("\n");
}

export function machineText({ cores, cpu, system, node, load }: ReturnType<typeof describeMachine>): string {
  return `${cores} cores of ${cpu}, other work on them (load ${load.toFixed(1)} before the run), ${system}, Node ${node}.`;
}

function cells(values: readonly number[], digits: number): string[] {
  const { median, min, max } = summarize(values) as Summary;
  return [formatNumber(median, digits), `${formatNumber(min, digits)}–${formatNumber(max, digits)}`];
}
