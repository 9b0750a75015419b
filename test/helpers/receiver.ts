// Rebuilt from its uses in alerts.test.ts after another session overwrote it by mistake: its author may have a better one.
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { Changes } from "./changes.ts";

export interface ReceivedMessage {
  readonly method: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** An HTTP server that keeps what it is sent and answers 200, or what it is told to for a path. */
export class Receiver implements AsyncDisposable {
  readonly messages: ReceivedMessage[] = [];
  readonly #statuses = new Map<string, number>();
  readonly #changes = new Changes(() => JSON.stringify(this.messages));
  readonly #server: http.Server;

  private constructor() {
    this.#server = http.createServer((request, response) => {
      const { method = "", url: path = "", headers } = request;
      let body = "";
      request.on("data", (chunk) => (body += chunk));
      request.on("end", () => {
        this.messages.push({ method, path, headers, body });
        response.writeHead(this.#statuses.get(path) ?? 200).end();
        this.#changes.changed();
      });
    });
  }

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await once(receiver.#server.listen(0, "127.0.0.1"), "listening");
    return receiver;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  url(path: string): string {
    return `http://${this.host}${path}`;
  }

  answer(path: string, status: number): void {
    this.#statuses.set(path, status);
  }

  at(path: string): ReceivedMessage[] {
    return this.messages.filter((message) => message.path === path);
  }

  /** What came to the path, once it is `count` messages. */
  untilAt(path: string, count: number): Promise<ReceivedMessage[]> {
    return this.#changes.when(() => {
      const found = this.at(path);
      return found.length >= count ? found : undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
