import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { closeCodes } from "../core/close-codes.ts";
import type { ProcessEnd } from "../core/process-end.ts";
import type { ConnectionEnd, Sample } from "../core/records.ts";
import type { ConnectionWitness } from "./connection-log.ts";

/** Seconds; from a turn of the event loop to the keepalive's patience. */
const RTT_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const LOOP_BUCKETS = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5];
/** Up to the 12 s that a client is held, and what comes after. */
const HOLD_BUCKETS = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];
const RECOVER_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

export interface RecorderStats {
  /** Events that wait to be written. */
  readonly queued: number;
  readonly written: number;
  readonly dropped: number;
}

/** What the gauges show at the moment they are read. */
export interface MetricsSources {
  readonly connections: () => number;
  readonly held: () => number;
  readonly gatewayReady: () => boolean;
  readonly recorder: () => RecorderStats;
}

/** The edge's numbers in Prometheus' format, named after its conventions. */
export class Metrics implements ConnectionWitness {
  readonly #registry = new Registry();
  readonly #opened = this.#counter(
    "connections_opened_total",
    "Client connections whose upgrade request came",
  );
  readonly #closed = this.#counter("connections_closed_total", "Client connections that ended", [
    "code",
    "cause",
    "side",
  ]);
  readonly #bytes = this.#counter("bytes_total", "Bytes of connections that ended", ["direction"]);
  readonly #frames = this.#counter("frames_total", "WebSocket frames of connections that ended", [
    "direction",
  ]);
  readonly #restarts = this.#counter("gateway_ends_total", "Ends of the gateway", ["reason"]);
  readonly #hold = this.#histogram(
    "hold_seconds",
    "From a client's upgrade request to the gateway's 101",
    HOLD_BUCKETS,
  );
  readonly #recover = this.#histogram(
    "gateway_recovery_seconds",
    "From the end of a gateway to the readiness of the next",
    RECOVER_BUCKETS,
  );
  readonly #rtt = this.#histogram("client_rtt_seconds", "Round trip of pings to clients", RTT_BUCKETS);
  readonly #loop = this.#histogram(
    "event_loop_delay_seconds",
    "99th percentile of the edge's event-loop delay over 10 s",
    LOOP_BUCKETS,
  );

  constructor(sources: MetricsSources) {
    this.#gauge("connections", "Client connections that are served", sources.connections);
    this.#gauge("held_connections", "Clients that wait for the gateway", sources.held);
    this.#gauge("gateway_ready", "1 if the gateway serves clients", () => (sources.gatewayReady() ? 1 : 0));
    this.#gauge(
      "recorder_queue_events",
      "Events that wait for the flight recorder",
      () => sources.recorder().queued,
    );
    this.#counterOf(
      "recorder_events_total",
      "Events the flight recorder wrote",
      () => sources.recorder().written,
    );
    this.#counterOf(
      "recorder_dropped_events_total",
      "Events it had no room for",
      () => sources.recorder().dropped,
    );
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  render(): Promise<string> {
    return this.#registry.metrics();
  }

  opened(): void {
    this.#opened.inc();
  }

  served(heldMs: number): void {
    this.#hold.observe(heldMs / 1000);
  }

  closed(end: ConnectionEnd): void {
    this.#closed.inc({ code: codeLabel(end.code), cause: end.cause, side: end.by });
    this.#bytes.inc({ direction: "in" }, end.bytesIn);
    this.#bytes.inc({ direction: "out" }, end.bytesOut);
    this.#frames.inc({ direction: "in" }, end.framesIn);
    this.#frames.inc({ direction: "out" }, end.framesOut);
  }

  gatewayEnded(end: ProcessEnd): void {
    this.#restarts.inc({ reason: reasonOf(end) });
  }

  gatewayRecovered(ms: number): void {
    this.#recover.observe(ms / 1000);
  }

  rtt(ms: number): void {
    this.#rtt.observe(ms / 1000);
  }

  sampled(sample: Sample): void {
    this.#loop.observe(sample.loopP99Ms / 1000);
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name: `clawkit_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #counterOf(name: string, help: string, read: () => number): void {
    new Counter({
      name: `clawkit_${name}`,
      help,
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name: `clawkit_${name}`,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read());
      },
    });
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name: `clawkit_${name}`, help, buckets, registers: [this.#registry] });
  }
}

/** A client may close with any of 2,000 codes, and each would be a series for ever. */
function codeLabel(code: number | null): string {
  if (code === null) return "none";
  return closeCodes.some((known) => known.code === code) ? String(code) : "other";
}

/** A label has few values: words with numbers in them would make a new series each time. */
function reasonOf({ by, signal, code, startError }: ProcessEnd): string {
  if (by === "operator") return "planned";
  if (by === "supervisor") return "hung";
  if (startError !== undefined) return "start-failed";
  return signal ?? `exit-${code}`;
}
