/** Time as the policy code sees it: milliseconds that only go forward, unrelated to the wall clock. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Wall-clock milliseconds since the epoch, for records that people read. */
  wall(): number;
}

/** One line of a process's own log. */
export type Log = (message: string) => void;

/**
 * Sends a signal to a process, or to a process group if `pid` is negative; signal 0 only asks whether it exists.
 * False if there is no such process (any more).
 */
export type SendSignal = (pid: number, signal: NodeJS.Signals | 0) => boolean;
