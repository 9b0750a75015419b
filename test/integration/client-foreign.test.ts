import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { type WebSocket, WebSocketServer } from "ws";
import { ClientSocket } from "../../src/client/index.ts";
import { Changes } from "../helpers/changes.ts";

// A server that knows nothing of us: it numbers what it says and notes what it hears.

class ForeignServer {
  readonly heard: number[] = [];
  #said = 0;
  #server: WebSocketServer;
  #port = 0;

  constructor() {
    this.#server = this.#listen();
  }

  async url(): Promise<string> {
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
    return `ws://127.0.0.1:${this.#port}`;
  }

  say(): void {
    this.#said++;
    for (const client of this.#server.clients) client.send(String(this.#said));
  }

  get client(): WebSocket {
    return [...this.#server.clients].at(-1)!;
  }

  drop(): void {
    this.client.terminate();
  }

  reset(): void {
    (this.client as unknown as { _socket: Socket })._socket.resetAndDestroy();
  }

  close(code: number, reason: string): void {
    this.client.close(code, reason);
  }

  async restart(): Promise<void> {
    await this.stop();
    this.#server = this.#listen();
    await once(this.#server, "listening");
  }

  async stop(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #listen(): WebSocketServer {
    const server = new WebSocketServer({ port: this.#port, host: "127.0.0.1" });
    server.on("connection", (socket) => socket.on("message", (data) => this.heard.push(Number(data))));
    return server;
  }
}

async function rig(t: TestContext) {
  const server = new ForeignServer();
  const socket = new ClientSocket(await server.url());
  const seen: string[] = [];
  const changes = new Changes(() => JSON.stringify(seen));
  for (const name of ["open", "gap", "close"] as const)
    socket.addEventListener(name, () => {
      seen.push(name);
      changes.changed();
    });
  socket.onmessage = ({ data }) => {
    seen.push(String(data));
    changes.changed();
  };
  t.after(async () => {
    socket.close();
    await server.stop();
  });
  const untilSeen = (...expected: string[]) =>
    changes
      .when(() => (seen.length >= expected.length ? true : undefined))
      .then(() => {
        assert.deepEqual(seen, expected);
      });
  await untilSeen("open");
  return { server, socket, untilSeen };
}

describe("the client library at a foreign server", () => {
  for (const [name, end] of [
    ["drops it", (server) => server.drop()],
    ["resets it", (server) => server.reset()],
    ["closes it with 1012", (server) => server.close(1012, "restarting, reconnect now")],
    ["restarts", (server) => server.restart()],
  ] as [string, (server: ForeignServer) => unknown][]) {
    it(`comes back when the server ${name}: one gap, and all in order`, async (t) => {
      const { server, socket, untilSeen } = await rig(t);
      server.say();
      await untilSeen("open", "1");
      await end(server);
      await untilSeen("open", "1", "gap", "open");
      server.say();
      await untilSeen("open", "1", "gap", "open", "2");
      assert.equal(socket.readyState, socket.OPEN);
    });
  }

  it("sends in order what was said while there was no server", async (t) => {
    const { server, socket, untilSeen } = await rig(t);
    server.drop();
    for (let n = 1; n <= 500; n++) socket.send(String(n));
    await untilSeen("open", "gap", "open");
    socket.send("501");
    server.say();
    await untilSeen("open", "gap", "open", "1");
    // the last ones may have been written into the connection that was dropped: nobody knows, the gap says so
    const first = server.heard[0]!;
    assert.deepEqual(
      server.heard,
      Array.from({ length: server.heard.length }, (_, i) => first + i),
    );
  });

  it("is over when the server says never", async (t) => {
    const { server, socket, untilSeen } = await rig(t);
    server.close(1008, "not you");
    await untilSeen("open", "close");
    assert.equal(socket.state.text, "ended for good: 1008 not you");
  });
});
