import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { startKeepalive } from "../policy/keepalive.ts";
import { encodeClose, encodeFrame, encodeHeader, OPCODE } from "../protocol/frames.ts";
import { encodeNote } from "../protocol/link-protocol.ts";
import { shutdownFrame, tickFrame } from "./dialects/openclaw.ts";
import { Link } from "./link.ts";

const CHALLENGE = encodeFrame(OPCODE.text, Buffer.from('{"event":"connect.challenge"}'));
const HELLO = encodeFrame(OPCODE.text, Buffer.from('{"type":"res","ok":true}'));
const PONG = encodeFrame(OPCODE.pong, Buffer.from("asked"));
const TICK = tickFrame(0);
const SHUTDOWN = shutdownFrame("gone", 1_000);

/** A link between two sockets; what the gateway sends, and what the client has got of it. */
async function linked(t: TestContext, more: { resumes?: boolean } = {}) {
  const [client, clientSide] = await socketPair(t);
  const [gateway, gatewaySide] = await socketPair(t);
  const got: Buffer[] = [];
  client.on("data", (chunk: Buffer) => got.push(chunk));
  let answered = 0;
  const options = {
    client: clientSide,
    gateway: gatewaySide,
    allowedRsv: 0,
    clientAddress: "127.0.0.1",
    generation: 1,
    keepalive: startKeepalive(0, { intervalMs: 1, timeoutMs: 1 }, () => 0.5),
    onAnswered: () => answered++,
    ...more,
  };
  const link = new Link(options, {
    now: () => 0,
    onRtt: () => undefined,
    onDetached: () => undefined,
    onUnacknowledged: () => undefined,
    onRetained: () => undefined,
    retained: { bytes: 0 },
    onGatewayLost: () => undefined,
    onEnded: () => undefined,
  });
  link.start(Buffer.alloc(0), Buffer.alloc(0));
  const seen = () => Buffer.concat(got);
  const send = async (...frames: Buffer[]) => {
    const expected = seen().length + frames.reduce((sum, { length }) => sum + length, 0);
    gateway.write(Buffer.concat(frames));
    while (seen().length < expected) await once(client, "data");
  };
  return { link, client, gateway, send, seen, answered: () => answered };
}

async function socketPair(t: TestContext): Promise<[Socket, Socket]> {
  const server = net.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const here = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
  const [there] = (await once(server, "connection")) as [Socket];
  server.close();
  t.after(() => {
    here.destroy();
    there.destroy();
  });
  return [here, there];
}

// a client that pings in the middle of its handshake gets a pong: two frames, and no hello yet
test("a client without its hello gets no message of the edge's own, whatever it made the gateway send", async (t) => {
  const { link, client, send, seen, answered } = await linked(t);
  await send(CHALLENGE, PONG, PONG);
  link.inject(TICK);
  assert.equal(answered(), 0, "its place in the handshake is still its own");
  link.end(1012, "gone", { by: "gateway", cause: "gateway-ended", farewell: SHUTDOWN });
  await once(client, "data");
  const rest = seen().subarray(CHALLENGE.length + 2 * PONG.length);
  assert.equal(rest.toString("hex"), "880603f4676f6e65"); // Close 1012 "gone" and nothing before it
});

test("a client with its hello gets them, between messages only", async (t) => {
  const { link, client, send, seen, answered } = await linked(t);
  await send(CHALLENGE, HELLO);
  assert.equal(answered(), 1);
  link.inject(TICK);
  await once(client, "data");
  const begun = Buffer.concat([encodeHeader({ firstByte: OPCODE.text, length: 2 }), Buffer.from("be")]);
  await send(begun);
  link.inject(TICK);
  const end = encodeFrame(OPCODE.continuation, Buffer.from("gun"));
  await send(end);
  assert.deepEqual(seen(), Buffer.concat([CHALLENGE, HELLO, TICK, begun, end]));
  link.end(1012, "gone", { by: "gateway", cause: "gateway-ended", farewell: SHUTDOWN });
  while (seen().indexOf(SHUTDOWN) < 0) await once(client, "data");
});

test("a client whose large message is refused may send the next one", async (t) => {
  const { link, client, gateway, send } = await linked(t, { resumes: true });
  let arrived = 0;
  gateway.on("data", ({ length }) => {
    arrived += length;
  });
  const sendLarge = async () => {
    const expected = arrived + 2 * 1024 * 1024;
    client.write(encodeFrame(OPCODE.binary, Buffer.alloc(2 * 1024 * 1024), Buffer.alloc(4)));
    while (arrived < expected) await once(gateway, "data");
  };
  await sendLarge();
  assert.equal(link.isClientPaused, true);
  gateway.write(encodeFrame(OPCODE.pong, encodeNote({ kind: "refuse", n: 1 })));
  await send(HELLO);
  assert.equal(link.isClientPaused, false);
  await sendLarge();
});

test("a client that has to wait hears that its gateway closes, and answers", async (t) => {
  const { link, client, gateway, seen } = await linked(t, { resumes: true });
  const mebibyte = encodeFrame(OPCODE.binary, Buffer.alloc(1024 * 1024), Buffer.alloc(4));
  let last = Buffer.alloc(0);
  gateway.on("data", (chunk: Buffer) => {
    last = Buffer.concat([last, chunk]).subarray(-8);
  });
  client.write(mebibyte);
  client.write(mebibyte);
  while (!link.isClientPaused) await once(gateway, "data");
  const close = encodeClose(1008, "no");
  gateway.write(close);
  while (seen().length < close.length) await once(client, "data");
  client.write(encodeClose(1008, "no", Buffer.alloc(4)));
  const signal = AbortSignal.timeout(3_000); // it would be ended behind 5 s without its answer
  while (!last.includes(Buffer.from("no"))) await once(gateway, "data", { signal });
});

test("a planned end that its gateway had to be killed for makes what it was given suspect, and nothing later", async (t) => {
  const { link, client, gateway } = await linked(t, { resumes: true });
  const message = encodeFrame(OPCODE.text, Buffer.from("one"), Buffer.alloc(4));
  client.write(message);
  await once(gateway, "data");
  link.detach();
  client.write(message);
  while (link.traffic.framesIn < 2) await new Promise(setImmediate);
  assert.equal(link.offer.tried, 0);
  link.lost();
  assert.equal(link.offer.tried, 1);
});
