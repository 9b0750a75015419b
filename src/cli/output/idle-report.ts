import type { IdleReport, LifeLimit } from "../../probe/types.ts";

/** What was found of the idle limit, for people. */
export function idleLines(idle: IdleReport): string[] {
  const { limitSec, toleranceSec, kind, survivedSec, serverSpeaksSec, recommendedKeepaliveSec, life } = idle;
  const lines: string[] = [];
  if (limitSec !== null) {
    lines.push(`Idle limit: ${limitSec} s (± ${toleranceSec} s); then ${toldEnd(kind, idle)}`);
    lines.push(`Likely: ${idle.likelyBoxes.join("; or ")}`);
  } else {
    lines.push(
      survivedSec === 0
        ? "Idle limit: not known yet"
        : `Idle limit: none found; ${survivedSec} s of silence were survived`,
    );
  }
  if (idle.othersSurvivedSec !== null) {
    lines.push(
      `Others survived up to ${idle.othersSurvivedSec} s: connections go different ways, or one ended by accident; measure it again`,
    );
  }
  if (life !== null) lines.push(...lifeLines(life, limitSec === null));
  if (serverSpeaksSec !== null) {
    lines.push(
      `The server says something every ${serverSpeaksSec} s by itself: no connection is silent for longer, and a longer limit cannot be seen`,
    );
  }
  if (idle.refused !== null) lines.push(`Some connections were not let in: ${idle.refused}`);
  if (idle.stopped) lines.push("It was stopped before it was through: this is what is known so far");
  if (idle.keepaliveHolds === true) {
    lines.push(`A client that pings every ${recommendedKeepaliveSec} s was kept beyond the limit`);
  } else if (idle.keepaliveHolds === false) {
    lines.push(
      `A client that pings every ${recommendedKeepaliveSec} s was ended all the same, before the limit: the path fails otherwise, too`,
    );
  }
  if (limitSec !== null) {
    lines.push(
      `Keepalive that survives it: ${recommendedKeepaliveSec} s (clawkit config set gateway.keepalive.intervalSec ${recommendedKeepaliveSec})`,
    );
  } else if (survivedSec > recommendedKeepaliveSec) {
    lines.push(`A keepalive of ${recommendedKeepaliveSec} s, as it is preset, is enough`);
  }
  return lines;
}

function lifeLines(life: LifeLimit, isAll: boolean): string[] {
  if (!life.isSignIn) {
    return [
      `After ${life.sec} s ${toldEnd(life.kind, life)}, whatever is sent: a limit on the life of a connection, which no keepalive survives`,
    ];
  }
  const deadline = `After ${life.sec} s the gateway closes who has not signed in (${told(life)}), and the probe does not: its own deadline, silent or not, and no limit of the path`;
  const longer =
    "Longer silences can be tried while the gateway waits longer (OpenClaw: OPENCLAW_HANDSHAKE_TIMEOUT_MS=700000 in its environment), or on another WebSocket server at the same place";
  return isAll ? [deadline, longer] : [deadline];
}

const KINDS: Readonly<Record<IdleReport["kind"], string>> = {
  "silent-drop": "nothing comes back any more, and nobody says so",
  reset: "the connection is reset",
  fin: "the connection is ended without a Close frame (a client reports 1006)",
  close: "the connection is closed with a Close frame",
  none: "nothing happens",
};

function toldEnd(kind: IdleReport["kind"], end: Said): string {
  return kind === "close" ? `${KINDS.close} (${told(end)})` : KINDS[kind];
}

interface Said {
  readonly code: number | null;
  readonly reason: string | null;
}

function told({ code, reason }: Said): string {
  return `${code ?? "no code"}${reason === null || reason === "" ? "" : ` ${JSON.stringify(reason)}`}`;
}
