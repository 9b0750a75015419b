import { ClawkitError } from "../../core/errors.ts";
import { type IdleProgress, type IdleWay, probeIdle } from "../../probe/idle.ts";
import { probePath } from "../../probe/path.ts";
import { shown } from "../../probe/shown.ts";
import { targetOf } from "../../probe/target.ts";
import type { IdleReport, Step } from "../../probe/types.ts";
import type { CliContext } from "../context.ts";
import { idleLines } from "../output/idle-report.ts";

export interface ProbeOptions {
  readonly idle?: boolean;
  readonly large?: boolean;
  readonly max?: string;
  readonly json?: boolean;
}

/** Longer than every preset of a load balancer; firewalls of companies wait an hour. */
const DEFAULT_MAX_SEC = 600;

/** 128 + SIGINT, as shells count. */
const EXIT_INTERRUPTED = 130;

/** `clawkit probe <url>`: which layer of the path fails. Exit 0 if none does, 1 if one does. */
export async function probe(context: CliContext, url: string, options: ProbeOptions): Promise<number> {
  const { out, env, clock, interrupted } = context;
  const target = targetOf(url);
  const maxSec = secondsOf(options.max);
  const { report, way } = await probePath(target, {
    env,
    now: clock.wall(),
    isLarge: options.large === true,
    signal: interrupted,
    onStep: (step) => {
      if (options.json !== true) out.line(lineOf(step, out));
    },
  });
  if (options.json !== true) {
    out.line();
    out.line(report.summary);
  }
  const isIdle = options.idle === true || options.max !== undefined;
  const idle =
    isIdle && way !== undefined && !report.stopped
      ? shown(await measured(context, way, maxSec), target.secrets)
      : undefined;
  if (options.json) out.json({ ...report, ...(idle === undefined ? {} : { idle }) });
  else if (idle !== undefined) for (const line of idleLines(idle)) out.line(line);
  else if (isIdle && !report.stopped)
    out.line("The idle limit cannot be measured on a path that does not work");
  if (report.stopped || idle?.stopped === true) return EXIT_INTERRUPTED;
  return report.ok ? 0 : 1;
}

async function measured(context: CliContext, way: IdleWay, maxSec: number): Promise<IdleReport> {
  const { out, interrupted } = context;
  let toldAt = Number.NEGATIVE_INFINITY;
  let toldPart: IdleProgress["part"] | undefined;
  return await probeIdle(way, {
    maxSec,
    signal: interrupted,
    onProgress: (progress) => {
      const now = context.clock.now();
      if (!out.isProgressLive && toldPart === progress.part && now - toldAt < PLAIN_PROGRESS_MS) return;
      toldAt = now;
      toldPart = progress.part;
      out.progress(progressLine(progress));
    },
  });
}

/** Where lines do not replace each other, fewer are enough. */
const PLAIN_PROGRESS_MS = 30_000;

/** The whole line has less than 80 columns: a longer one would not go away. */
const BAR = 16;

function progressLine({ part, doneSec, ofSec }: IdleProgress): string {
  const bar = "█".repeat(Math.round(Math.min(1, doneSec / ofSec) * BAR)).padEnd(BAR, "░");
  const what = part === "keepalive" ? part : `round ${part}`;
  return `${what} ${bar} ${Math.max(0, Math.ceil(ofSec - doneSec))} s left at most (Ctrl-C tells what is known)`;
}

const MARKS = { ok: ["green", "✓"], warn: ["yellow", "!"], failed: ["red", "✗"] } as const;

function lineOf({ id, verdict, ms, detail }: Step, out: CliContext["out"]): string {
  const [style, mark] = MARKS[verdict];
  const took = ms === null ? "" : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  return `${out.style(style, mark)} ${id.padEnd(13)} ${took.padStart(8)}  ${detail}`;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

function secondsOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_MAX_SEC;
  const match = /^(\d{1,5})([smh]?)$/.exec(text);
  const seconds = match === null ? 0 : Number(match[1]) * UNITS[match[2] || "s"]!;
  if (seconds >= 5 && seconds <= 7_200) return seconds;
  throw new ClawkitError(
    "USAGE",
    `--max must be from 5s to 2h, such as 90s or 10m, not ${JSON.stringify(text)}`,
  );
}
