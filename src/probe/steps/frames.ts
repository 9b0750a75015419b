import { type ProbeLink, toldEnd } from "../probe-link.ts";
import type { Step } from "../types.ts";

/**
 * Bytes of the unfinished message so far at each stop: below a packet, some packets, and just below the 64 KiB that OpenClaw
 * takes of a client which has not signed in. What is beyond is asked for: a server closes the probe's connection with
 * 1009 there, and one that has no error handler (`ws` throws then) ends.
 */
const SIZES = [512, 1_400, 4 * 1024, 16 * 1024, 60 * 1024];
const LARGE_SIZES = [...SIZES, 256 * 1024, 1024 * 1024];

/** Pings that fill a few whole packets, and whose pongs come back in as many. */
const FULL_PACKETS = 40;

const ONE_MORE = "one more";

const PONG_MS = 5_000;

/**
 * Whether large packets and large frames pass, both ways: pings in full packets first, then one message that grows
 * and is never finished, so that no program sees it, with a ping behind each part.
 */
export async function frames(
  link: ProbeLink,
  { isLarge, signal }: { readonly isLarge: boolean; readonly signal: AbortSignal },
): Promise<Step> {
  const startedAt = performance.now();
  const done = (verdict: Step["verdict"], detail: string, data: Step["data"] = {}): Step => ({
    id: "frames",
    verdict,
    ms: performance.now() - startedAt,
    detail,
    data,
  });
  const filler = Array.from({ length: FULL_PACKETS }, (_, index) => String(index).padStart(120, "."));
  link.pingMany(filler);
  if (!(await link.pong(filler.at(-1)!, PONG_MS, signal))) {
    if (link.end !== undefined) {
      const detail = `${FULL_PACKETS} pings at once, and the connection was ${toldEnd(link.end)}: the gateway or a proxy limits them`;
      return done("warn", detail, { passed: 0, failed: "many pings" });
    }
    // some systems find a smaller MTU out by themselves, after a while
    let isLate = false;
    void link.pong(filler.at(-1)!, PONG_MS, signal).then((isThere) => (isLate = isThere));
    link.ping(ONE_MORE);
    if ((await link.pong(ONE_MORE, PONG_MS, signal)) && !isLate) {
      // it is behind them in the stream: they arrived, in packets of any size
      const detail = `of ${FULL_PACKETS} pings at once the last is not answered, and one after them is: the gateway or a proxy answers only so many, and larger frames were not tried`;
      return done("warn", detail, { passed: 0, failed: "many pings" });
    }
    return done(
      "failed",
      `small packets pass and full ones do not: something on the way has a smaller MTU and drops what is larger (often a VPN or tunnel: lower its MTU, or let ICMP "fragmentation needed" through)`,
      { passed: 0, failed: "full packets" },
    );
  }
  let passed = 0;
  for (const size of isLarge ? LARGE_SIZES : SIZES) {
    link.sendUnfinished(size - passed, passed === 0);
    const payload = `f${size}`;
    link.ping(payload);
    if (!(await link.pong(payload, PONG_MS, signal))) return done(...deathAt(link, size, passed));
    passed = size;
  }
  return done("ok", `messages of up to ${bytes(passed)} pass`, { passed });
}

function deathAt(link: ProbeLink, size: number, passed: number): [Step["verdict"], string, Step["data"]] {
  const { end } = link;
  const between = passed === 0 ? `of ${bytes(size)}` : `of over ${bytes(passed)}, at most ${bytes(size)}`;
  const data = { passed, failed: size, end: end ?? null };
  if (end?.kind === "close") {
    // OpenClaw takes 64 KiB before a client has signed in, and 25 MiB after
    return [
      "warn",
      `a message ${between} is refused, and ${toldEnd(end)}: a limit of the gateway (before sign-in it may be lower), or of a proxy that speaks WebSocket`,
      data,
    ];
  }
  const how =
    end === undefined ? "is not answered any more" : `is not taken: the connection was ${toldEnd(end)}`;
  return ["failed", `a message ${between} ${how}: a proxy or firewall on the way limits what passes`, data];
}

function bytes(count: number): string {
  return count < 1024
    ? `${count} B`
    : count < 1024 * 1024
      ? `${Math.round(count / 1024)} KiB`
      : `${count / 1024 / 1024} MiB`;
}
