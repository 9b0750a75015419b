import { WebSocket } from "ws";

/** What one client saw of its connection, in the words a user would see. */
export interface ClientEnd {
  readonly code: number;
  readonly reason: string;
  readonly error?: string;
}

/** A plain `ws` client that remembers how its connection ended. */
export class TestClient {
  readonly socket: WebSocket;
  readonly opened: Promise<void>;
  readonly ended: Promise<ClientEnd>;
  received = 0;

  constructor(url: string, options: ConstructorParameters<typeof WebSocket>[2] = {}) {
    this.socket = new WebSocket(url, { perMessageDeflate: false, ...options });
    let error: string | undefined;
    this.socket.on("error", (cause) => {
      error ??= cause.message;
    });
    this.socket.on("message", () => {
      this.received++;
    });
    this.opened = new Promise((resolve, reject) => {
      this.socket.once("open", resolve);
      this.socket.once("close", (code, reason) =>
        reject(new Error(`closed ${code} ${reason} before it opened: ${error}`)),
      );
    });
    this.opened.catch(() => undefined);
    this.ended = new Promise((resolve) => {
      this.socket.once("close", (code, reason) => {
        resolve({ code, reason: reason.toString(), ...(error === undefined ? {} : { error }) });
      });
    });
  }

  /** The next message as text. */
  next(): Promise<string> {
    const { socket } = this;
    return new Promise((resolve, reject) => {
      const onClose = (code: number) => reject(new Error(`closed ${code} while waiting for a message`));
      socket.once("close", onClose);
      socket.once("message", (data) => {
        socket.off("close", onClose);
        resolve(data.toString());
      });
    });
  }

  async echo(text: string): Promise<string> {
    const answer = this.next();
    this.socket.send(text);
    return await answer;
  }
}

/** Opens `n` clients and waits until all are open. */
export async function openClients(n: number, url: string): Promise<TestClient[]> {
  const clients = Array.from({ length: n }, () => new TestClient(url));
  await Promise.all(clients.map((client) => client.opened));
  return clients;
}

/** "498 × 1012 gateway restarting (…), 2 × 1006": what a failing assertion should show. */
export function tally(ends: readonly ClientEnd[]): string {
  const counts = new Map<string, number>();
  for (const { code, reason, error } of ends) {
    const key = `${code} ${reason}${error === undefined ? "" : ` [${error}]`}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([key, n]) => `${n} × ${key}`).join(", ");
}
