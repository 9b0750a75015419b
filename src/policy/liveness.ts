/** Silence after which the gateway is in trouble. With a probe every 2.5 s, trouble is noticed within 15 s. */
export const NOTICE_MS = 8_000;

export interface LivenessRules {
  /** Silence after which a gateway that is neither stopped nor answering is restarted. */
  readonly hangRestartMs: number;
  /** Time a gateway has from its start to its first readiness. */
  readonly startTimeoutMs: number;
}

export type Trouble =
  /** The process is stopped (state T): SIGSTOP or a terminal's Ctrl-Z. */
  | "stopped"
  /** It burns CPU: work in flight, not to be killed lightly. */
  | "busy"
  /** It neither answers nor works: waits on a lock, a disk, a debugger. */
  | "silent";

/**
 * `starting` → `ready` ⇄ `trouble` (and `starting` ⇄ `ready`, when a living gateway says it is not ready).
 * A restart ends this life; the next one begins with `startLiveness`.
 */
export interface LivenessState {
  readonly phase: "starting" | "ready" | "trouble";
  readonly startedAt: number;
  readonly lastLifeAt: number;
  /** Whether this life was ever ready. */
  readonly wasReady: boolean;
  readonly trouble?: Trouble;
  /** Nobody listened where it was ready, and it has not answered since. */
  readonly isAway?: true;
}

export type LivenessEvent =
  /** The gateway answered HTTP, with anything: that is life. */
  | { readonly kind: "answered"; readonly isReady: boolean }
  /** Nobody listens where it was ready: it restarts in its own process. That is no life, and no silence either. */
  | { readonly kind: "refused" }
  /** A look at the clock and at the process. */
  | { readonly kind: "looked"; readonly process: "stopped" | "busy" | "idle" }
  /** We ourselves did not run for a while: that time does not count. */
  | { readonly kind: "judge-stalled"; readonly ms: number };

export type LivenessAction =
  | { readonly kind: "ready" }
  | { readonly kind: "not-ready" }
  | { readonly kind: "trouble"; readonly trouble: Trouble; readonly silentMs: number }
  | { readonly kind: "restart"; readonly why: string };

export function startLiveness(now: number): LivenessState {
  return { phase: "starting", startedAt: now, lastLifeAt: now, wasReady: false };
}

/** One step of the judge. Returns the new state and at most one action. */
export function stepLiveness(
  state: LivenessState,
  event: LivenessEvent,
  now: number,
  rules: LivenessRules,
): [LivenessState, LivenessAction?] {
  switch (event.kind) {
    case "judge-stalled":
      return [
        {
          ...state,
          startedAt: state.startedAt + event.ms,
          lastLifeAt: Math.min(now, state.lastLifeAt + event.ms),
        },
      ];
    case "answered":
      return answered(state, event.isReady, now);
    case "refused":
      if (state.phase === "starting") return [state];
      return [{ ...state, phase: "starting", isAway: true }, { kind: "not-ready" }];
    case "looked":
      return looked(state, event.process, now, rules);
  }
}

function answered(state: LivenessState, isReady: boolean, now: number): [LivenessState, LivenessAction?] {
  const { startedAt } = state;
  if (isReady) {
    const next: LivenessState = { phase: "ready", startedAt, lastLifeAt: now, wasReady: true };
    return state.phase === "ready" ? [next] : [next, { kind: "ready" }];
  }
  const next: LivenessState = { phase: "starting", startedAt, lastLifeAt: now, wasReady: state.wasReady };
  return state.phase === "starting" ? [next] : [next, { kind: "not-ready" }];
}

function looked(
  state: LivenessState,
  process: "stopped" | "busy" | "idle",
  now: number,
  rules: LivenessRules,
): [LivenessState, LivenessAction?] {
  const silentMs = now - state.lastLifeAt;
  const seconds = Math.round(silentMs / 1000);
  if (!state.wasReady) {
    if (now - state.startedAt < rules.startTimeoutMs) return [state];
    return [
      state,
      { kind: "restart", why: `not ready ${Math.round(rules.startTimeoutMs / 1000)} s after its start` },
    ];
  }
  if (silentMs < NOTICE_MS) return [state];
  if (process === "stopped") {
    return [state, { kind: "restart", why: `process was stopped (SIGSTOP), no answer for ${seconds} s` }];
  }
  const trouble: Trouble = process === "busy" ? "busy" : "silent";
  // OpenClaw closes its listener first, and then may take minutes for what its channels still have to do
  if (state.isAway && silentMs < rules.hangRestartMs) return [state];
  if (silentMs >= rules.hangRestartMs) {
    const doing = trouble === "busy" ? "burning CPU" : "idle";
    return [state, { kind: "restart", why: `hung (${doing}), no answer for ${seconds} s` }];
  }
  const next: LivenessState = { ...state, phase: "trouble", trouble };
  if (state.phase === "trouble" && state.trouble === trouble) return [next];
  return [next, { kind: "trouble", trouble, silentMs }];
}
