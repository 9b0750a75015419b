/** One object for all links of a network: its boxes decide how often a ping has to go. */
export interface KeepaliveRules {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Undefined where nothing is learned. */
  readonly network?: string;
  /** A longer interval than the network's, tried on one link of it. */
  readonly isTrial?: boolean;
}

/** ±10 % on the interval: pings at exactly 30 or 60 s race the common middlebox timers. */
const JITTER = 0.1;

/**
 * A slow client is not a dead one. A pong waits behind everything written before the ping, so its deadline grows
 * with what a client that reads at this rate, a quarter of the slowest we promise to keep (256 KB/s), would not
 * have read yet. (The kernel takes megabytes at once: that a write is done says nothing.)
 */
const SLOWEST_BYTES_PER_MS = 64;

/** What the keepalive knows of one link. Times are monotonic milliseconds. */
export interface KeepaliveState {
  rules: KeepaliveRules;
  nextPingAt: number;
  /** When the pong of the ping that is unanswered must be here; 0 if none is. */
  pongDueAt: number;
  /** Bytes that a slow client may still have to read: fills with what is written, drains with time. */
  backlog: number;
  bytesSeen: number;
  lookedAt: number;
  /** When anything was last seen to go either way, to the second. */
  trafficAt: number;
  /** How long nothing had gone before the last ping; infinite if the machine slept in between. */
  idleMs: number;
}

export interface KeepaliveInput {
  readonly now: number;
  /** Whether any byte came from the client since the last look: any byte counts as life. */
  readonly heard: boolean;
  /** Bytes handed to the client's socket so far. */
  readonly bytesWritten: number;
  /** We stopped reading this client (the gateway is slow): its pong cannot reach us. */
  readonly readingPaused: boolean;
}

/** `answered`: something came after a ping, which may be its pong. */
export type KeepaliveAction = "none" | "ping" | "answered" | "unreachable";

export function startKeepalive(now: number, rules: KeepaliveRules, random: () => number): KeepaliveState {
  return {
    rules,
    nextPingAt: now + jittered(rules, random),
    pongDueAt: 0,
    backlog: 0,
    bytesSeen: 0,
    lookedAt: now,
    trafficAt: now,
    idleMs: 0,
  };
}

/** Looks at one link; changes `state` in place, as this runs for every link every second. */
export function stepKeepalive(
  state: KeepaliveState,
  input: KeepaliveInput,
  random: () => number,
): KeepaliveAction {
  const { now } = input;
  const { rules } = state;
  const drained = (now - state.lookedAt) * SLOWEST_BYTES_PER_MS;
  state.backlog = Math.max(0, state.backlog - drained) + input.bytesWritten - state.bytesSeen;
  if (input.heard || input.bytesWritten !== state.bytesSeen) state.trafficAt = now;
  state.bytesSeen = input.bytesWritten;
  state.lookedAt = now;

  if (input.heard || input.readingPaused) {
    const isAnswer = state.pongDueAt !== 0;
    if (isAnswer) state.nextPingAt = now + jittered(rules, random);
    state.pongDueAt = 0;
    if (isAnswer && input.heard) return "answered";
  }
  if (state.pongDueAt !== 0) return now >= state.pongDueAt ? "unreachable" : "none";
  if (now < state.nextPingAt) return "none";
  state.pongDueAt = now + rules.timeoutMs + state.backlog / SLOWEST_BYTES_PER_MS;
  state.idleMs = now - state.trafficAt;
  return "ping";
}

/** The edge itself was stopped for `stalledMs`: that time says nothing about the client. */
export function forgiveStall(state: KeepaliveState, stalledMs: number): void {
  if (state.pongDueAt !== 0) state.pongDueAt += stalledMs;
  state.lookedAt += stalledMs;
}

/** Pings come more often from now on: the next one, too, and at once to one that was silent for so long already. */
export function hasten(
  state: KeepaliveState,
  rules: KeepaliveRules,
  now: number,
  random: () => number,
): void {
  state.rules = rules;
  const dueAt = Math.max(now, state.trafficAt + jittered(rules, random));
  state.nextPingAt = Math.min(state.nextPingAt, dueAt);
}

/** Pings come less often from now on, beginning with the next. */
export function slacken(
  state: KeepaliveState,
  rules: KeepaliveRules,
  now: number,
  random: () => number,
): void {
  state.rules = rules;
  state.nextPingAt = now + jittered(rules, random);
}

/** Looks at a link within `withinMs`, and not at everybody in the same moment. */
export function lookSoon(state: KeepaliveState, now: number, withinMs: number, random: () => number): void {
  state.nextPingAt = now + withinMs * random();
}

function jittered(rules: KeepaliveRules, random: () => number): number {
  return rules.intervalMs * (1 - JITTER + 2 * JITTER * random());
}
