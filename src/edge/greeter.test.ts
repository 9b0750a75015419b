import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type Socket } from "node:net";
import { mock, type TestContext, test } from "node:test";
import { WebSocket } from "ws";
import { Greeter } from "./greeter.ts";
import type { Visitor } from "./waiting-room.ts";

/** A client whose upgrade is complete, and a greeter that has it; what the client sees, in its order. */
async function greeted(t: TestContext) {
  const gateway = { isReady: false };
  const closed: unknown[] = [];
  const identified: unknown[] = [];
  const greeter = new Greeter({
    clock: { now: () => 0, wall: () => 1_700_000_000_000 },
    random: () => 0.5,
    isReady: () => gateway.isReady,
  });
  const server = net.createServer((socket) => {
    socket.once("data", (head: Buffer) => {
      const key = /Sec-WebSocket-Key: (\S+)/i.exec(head.toString())![1]!;
      socket.pause();
      greeter.greet(visitor(socket, key, { closed, identified }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as net.AddressInfo).port}`);
  const seen: unknown[] = [];
  client.on("message", (data) => seen.push(JSON.parse(data.toString())));
  const end = once(client, "close").then(([code, reason]) => [code, String(reason)]);
  t.after(() => {
    client.terminate();
    server.close();
  });
  await once(client, "message");
  return { client, seen, end, greeter, gateway, closed, identified };
}

function visitor(socket: Socket, key: string, told: { closed: unknown[]; identified: unknown[] }): Visitor {
  const track = {
    identified: (client: object) => told.identified.push(client),
    closed: ({ code }: { code: number }) => told.closed.push(code),
  };
  const requestHeaders = ["Sec-WebSocket-Key", key];
  const rest = { address: "127.0.0.1", clientAddress: "127.0.0.1", deadline: 0, path: "/", headers: [] };
  return { ...rest, socket, requestHeaders, track, early: Buffer.alloc(0) } as unknown as Visitor;
}

const CONNECT = JSON.stringify({ type: "req", id: "7", method: "connect", params: {} });

test("a client is challenged, and answered once the gateway is there", async (t) => {
  const { client, seen, end, greeter, gateway, closed } = await greeted(t);
  const [challenge] = seen as [{ event: string; payload: { nonce: string; ts: number } }];
  assert.equal(challenge.event, "connect.challenge");
  assert.match(challenge.payload.nonce, /^[\w-]{22}$/);
  client.send(CONNECT);
  await once(client, "ping", { signal: AbortSignal.timeout(50) }).catch(() => {});
  assert.equal(seen.length, 1, "the answer is withheld");

  gateway.isReady = true;
  greeter.gatewayReady();
  assert.deepEqual(await end, [1013, "gateway starting"]);
  assert.deepEqual(seen[1], {
    type: "res",
    id: "7",
    ok: false,
    error: {
      code: "UNAVAILABLE",
      message: "gateway starting",
      retryable: true,
      retryAfterMs: 0,
      details: { reason: "startup-sidecars" },
    },
  });
  assert.deepEqual(closed, [1013]);
  assert.equal(greeter.size, 0);
});

test("a connect that comes when the gateway is there is answered at once", async (t) => {
  const { client, seen, end, gateway } = await greeted(t);
  gateway.isReady = true;
  client.send(CONNECT);
  assert.deepEqual(await end, [1013, "gateway starting"]);
  assert.equal((seen[1] as { error: { retryAfterMs: number } }).error.retryAfterMs, 0);
});

test("a gateway that stays away: the client is sent off after 10 s, and comes back later", async (t) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  t.after(() => mock.timers.reset());
  const { client, seen, end, identified } = await greeted(t);
  client.send(CONNECT);
  await until(() => identified.length === 1);
  mock.timers.tick(10_000);
  assert.deepEqual(await end, [1013, "gateway starting"]);
  assert.equal((seen[1] as { error: { retryAfterMs: number } }).error.retryAfterMs, 200);
});

for (const [name, first] of [
  ["another request", JSON.stringify({ type: "req", id: "1", method: "health" })],
  ["no JSON", "hello"],
  ["a binary message", Buffer.from([1, 2, 3])],
] as const) {
  test(`who begins with ${name} is closed as the gateway would`, async (t) => {
    const { client, end } = await greeted(t);
    client.send(first);
    assert.deepEqual(await end, [1008, "invalid handshake: first request must be connect"]);
  });
}

// its Close frame was read over: a client that no longer wanted to wait was kept for 10 s, and told 1008 or 1013
for (const [name, said] of [
  ["before its connect", []],
  ["behind its connect", [CONNECT]],
] as const) {
  test(`who says goodbye ${name} is answered with its own words, at once`, async (t) => {
    const { client, end, greeter, closed } = await greeted(t);
    for (const text of said) client.send(text);
    client.close(1000, "not now");
    assert.deepEqual(await end, [1000, "not now"]);
    assert.deepEqual(closed, [1000]);
    assert.equal(greeter.size, 0);
  });
}

test("a ping is answered while the client waits", async (t) => {
  const { client } = await greeted(t);
  client.send(CONNECT);
  client.ping("still there?");
  const [payload] = await once(client, "pong");
  assert.equal(String(payload), "still there?");
});

test("who breaks the WebSocket protocol is told", async (t) => {
  const { client, end } = await greeted(t);
  client.send(CONNECT);
  rawOf(client).write(Buffer.from("8100", "hex")); // a text frame without a mask
  assert.deepEqual(await end, [1002, "unmasked frame from a client"]);
});

test("who leaves is forgotten, and a stop tells who is left", async (t) => {
  const { client, greeter, closed } = await greeted(t);
  client.terminate();
  await until(() => greeter.size === 0);
  assert.deepEqual(closed, [undefined]);

  const other = await greeted(t);
  await other.greeter.dismissAll({ code: 1012, reason: "gateway stopped", cause: "planned-restart" });
  assert.deepEqual(await other.end, [1012, "gateway stopped"]);
});

function rawOf(client: WebSocket): Socket {
  return (client as unknown as { _socket: Socket })._socket;
}

/** Lets events happen until something holds; a test's own time limit bounds it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
