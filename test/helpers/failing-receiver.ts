import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";

/** Receives alerts: the first one is answered by an error. */
export class FailingReceiver {
  readonly bodies: string[] = [];
  readonly #server: http.Server;

  private constructor() {
    this.#server = http.createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => (body += chunk));
      request.on("end", () => {
        this.bodies.push(body);
        response.writeHead(this.bodies.length === 1 ? 500 : 200).end();
      });
    });
  }

  static async listen(): Promise<FailingReceiver> {
    const receiver = new FailingReceiver();
    await once(receiver.#server.listen(0, "127.0.0.1"), "listening");
    return receiver;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
