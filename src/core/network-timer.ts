/** What is known of a network whose boxes forget silent connections. Times are wall-clock milliseconds. */
export interface NetworkTimer {
  /** `192.0.2.0/24`, `2001:db8:1::/48`. */
  readonly network: string;
  /** Pings go so often there. */
  readonly intervalMs: number;
  /** The shortest silence that killed; the limit lies below it. */
  readonly killedAfterMs: number;
  readonly learnedAt: number;
  /** When a longer interval was tried last. */
  readonly triedAt: number;
  /** Trials that cost a connection. */
  readonly trialDrops: number;
}
