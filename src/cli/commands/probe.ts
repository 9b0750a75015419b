import { ClawkitError } from "../../core/errors.ts";
import { probeIdle } from "../../probe/idle.ts";
import { probePath } from "../../probe/path.ts";
import { targetOf } from "../../probe/target.ts";
import type { IdleReport, Step } from "../../probe/types.ts";
import type { CliContext } from "../context.ts";

export interface ProbeOptions {
  readonly idle?: boolean;
  readonly large?: boolean;
  readonly max?: string;
  readonly json?: boolean;
}

/** Longer than every preset of a load balancer; firewalls of companies wait an hour. */
const DEFAULT_MAX_SEC = 600;

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
  const isIdle = options.idle === true || options.max !== undefined;
  const idle = isIdle && way !== undefined ? await measured() : undefined;
  if (options.json) {
    out.json({ ...report, ...(idle === undefined ? {} : { idle }) });
    return report.ok ? 0 : 1;
  }
  out.line();
  out.line(report.summary);
  if (idle !== undefined) for (const line of idleLines(idle)) out.line(line);
  return report.ok ? 0 : 1;

  async function measured(): Promise<IdleReport> {
    if (options.json !== true) {
      out.line();
      out.line(`Connections are left alone for up to ${maxSec} s; Ctrl-C tells what is known so far.`);
    }
    return await probeIdle(target, way!, {
      maxSec,
      signal: interrupted,
      onProgress: ({ round, doneSec, ofSec }) => {
        const share = Math.min(1, doneSec / ofSec);
        const bar = "█".repeat(Math.round(share * BAR)).padEnd(BAR, "░");
        out.progress(`round ${round} ${bar} ${Math.max(0, Math.ceil(ofSec - doneSec))} s left at most`);
      },
    });
  }
}

const BAR = 20;

const MARKS = { ok: ["green", "✓"], warn: ["yellow", "!"], failed: ["red", "✗"] } as const;

function lineOf({ id, verdict, ms, detail }: Step, out: CliContext["out"]): string {
  const [style, mark] = MARKS[verdict];
  const took = ms === null ? "" : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  return `${out.style(style, mark)} ${id.padEnd(13)} ${took.padStart(8)}  ${detail}`;
}

const KINDS: Readonly<Record<Exclude<IdleReport["kind"], "none">, string>> = {
  "silent-drop": "nothing comes back after it, and nobody says so",
  reset: "it is reset",
  fin: "it is ended without a Close frame (a client reports 1006)",
  close: "it is closed with a Close frame",
};

function idleLines(idle: IdleReport): string[] {
  const { limitSec, toleranceSec, kind, triedSec, serverPingSec, recommendedKeepaliveSec: keepalive } = idle;
  const lines: string[] = [];
  if (limitSec === null || kind === "none") {
    lines.push(`Idle limit: none found; a connection survived ${triedSec} s of silence`);
  } else {
    const code = idle.code === null ? "" : ` (${idle.code})`;
    lines.push(`Idle limit: ${limitSec} s (± ${toleranceSec} s): ${KINDS[kind]}${code}`);
    lines.push(`Likely: ${idle.likelyBoxes.join("; or ")}`);
  }
  if (serverPingSec !== null) {
    lines.push(
      `The server pings every ${serverPingSec} s by itself: no connection here was silent for longer, which keeps it open`,
    );
  }
  if (idle.keepaliveHolds === true) lines.push(`A client that pings every ${keepalive} s was kept`);
  if (idle.keepaliveHolds === false) {
    lines.push(
      "A client that pings was ended all the same: it is a limit on the life of a connection, or only the server's traffic counts",
    );
  }
  lines.push(
    `Keepalive that survives it: ${keepalive} s (clawkit config set gateway.keepalive.intervalSec ${keepalive})`,
  );
  return lines;
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
