/** The error of a response, as the protocol's ErrorShape says. */
export interface ErrorShape {
  readonly code: string;
  readonly message: string;
  readonly details?: unknown;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
}

/** Thrown by a method to answer its request with an error. */
export class MethodError extends Error {
  readonly shape: ErrorShape;

  constructor(shape: ErrorShape) {
    super(shape.message);
    this.shape = shape;
  }
}

/** A payload that is text already. */
export class EncodedPayload {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export function responseFrame(id: string, payload: unknown): string {
  if (payload instanceof EncodedPayload)
    return `{"type":"res","id":${JSON.stringify(id)},"ok":true,"payload":${payload.text}}`;
  return JSON.stringify({ type: "res", id, ok: true, payload });
}

export function errorFrame(id: string, error: ErrorShape): string {
  return JSON.stringify({ type: "res", id, ok: false, error });
}

/**
 * An event, encoded once for all its receivers: what differs is the number, added at the end. `seq` counts per
 * connection from 1 (the reference client takes a jump for a gap).
 */
export class EncodedEvent {
  readonly head: string;
  #headBytes: Buffer | undefined;

  constructor(event: string, payload: unknown, stateVersion?: { presence: number; health: number }) {
    const body = { type: "event", event, payload, ...(stateVersion === undefined ? {} : { stateVersion }) };
    this.head = JSON.stringify(body).slice(0, -1);
  }

  /** The same for all receivers: what is sent to a thousand is in memory once. */
  get headBytes(): Buffer {
    this.#headBytes ??= Buffer.from(this.head);
    return this.#headBytes;
  }

  withSeq(seq: number): string {
    return this.head + this.tail(seq);
  }

  /** What its receivers have of their own. */
  tail(seq: number): string {
    return `,"seq":${seq}}`;
  }
}
