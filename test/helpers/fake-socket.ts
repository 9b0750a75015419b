/** A WebSocket that does what a test says. */
export class FakeSocket extends EventTarget {
  static readonly all: FakeSocket[] = [];
  static get last(): FakeSocket {
    return FakeSocket.all.at(-1)!;
  }
  readyState = 0;
  bufferedAmount = 0;
  binaryType = "blob";
  protocol = "";
  extensions = "";
  readonly sent: string[] = [];
  readonly closed: [code?: number, reason?: string][] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;

  constructor() {
    super();
    FakeSocket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(code?: number, reason?: string): void {
    this.readyState = 2;
    this.closed.push([code, reason] as [number?, string?]);
  }

  opens(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  says(frame: unknown): void {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }

  ends(code: number, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}
