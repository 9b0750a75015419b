export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  /** Messages each connection keeps under way (throughput), or sends in one write (fixed-rate). */
  readonly inFlight: number;
  /** Bytes of payload in each message. */
  readonly payload: number;
  /** The measured time. */
  readonly seconds: number;
  /** Seconds of the same load before the measured time. */
  readonly warmup: number;
  /** Messages per second over all connections (fixed-rate). */
  readonly rate: number;
}

export interface LoadResult {
  /** Messages echoed in the measured time. */
  readonly messages: number;
  /** Messages echoed from the first to the last, warm-up included: the divisor for CPU per message. */
  readonly messagesInAll: number;
  /** Messages echoed per second of measured time. */
  readonly perSecond: number;
  /** Milliseconds; from the intended send time in fixed-rate, from the write elsewhere. */
  readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
  /** This process's CPU time over wall time in the measured window: near 1, the generator is the limit. */
  readonly cpuShare: number;
  /** This process's CPU time from its start, in seconds. */
  readonly cpuSecondsInAll: number;
  /** Messages sent but not echoed within seconds of the last one. */
  readonly lost: number;
  /** fixed-rate: 99th percentile of how late the generator itself sent, in ms. */
  readonly lateP99?: number;
}
