export interface State {
  readonly name: "connecting" | "live" | "waiting" | "closed";
  /** For people. */
  readonly text: string;
  /** Wall-clock milliseconds since when. */
  readonly at: number;
  /** Of the connection that ended, if this state follows an end. */
  readonly code?: number;
  readonly reason?: string;
  /** Waiting: until the next try. */
  readonly retryInMs?: number;
}

const MAX_ENTRIES = 64;

/** The last states, newest last: what `clawkit why` reads of the client's side (docs/client.md). */
export class Journal {
  readonly entries: State[] = [];

  add(state: State): void {
    this.entries.push(state);
    if (this.entries.length > MAX_ENTRIES) this.entries.shift();
  }
}

/** Milliseconds, as people say them. */
export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
