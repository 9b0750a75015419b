import { once } from "node:events";
import net from "node:net";

/** A network between client and server that can be cut in the ways networks are. */
export class CutProxy implements AsyncDisposable {
  readonly #server: net.Server;
  readonly #pairs = new Set<readonly [net.Socket, net.Socket]>();
  #isDown = false;

  private constructor(port: number) {
    this.#server = net.createServer((client) => {
      if (this.#isDown) return void client.resetAndDestroy();
      const server = net.connect(port, "127.0.0.1");
      const pair = [client, server] as const;
      this.#pairs.add(pair);
      for (const [one, other] of [
        [client, server],
        [server, client],
      ] as const) {
        one.on("error", () => undefined);
        one.on("close", () => {
          other.destroy();
          this.#pairs.delete(pair);
        });
        one.pipe(other);
      }
    });
  }

  static async start(port: number): Promise<CutProxy> {
    const proxy = new CutProxy(port);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`;
  }

  drop(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  reset(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  async outage(ms: number): Promise<void> {
    this.#isDown = true;
    this.reset();
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.#isDown = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.reset();
  }
}
