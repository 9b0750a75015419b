import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { test } from "node:test";
import { type WebSocket, WebSocketServer } from "ws";
import { sendText, sendTogether } from "./ws-internals.ts";

test("a text of several parts is one frame, in its place among what else is sent", async (t) => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
  t.after(() => server.close());
  await once(server, "listening");
  const head = Buffer.alloc(70_000, "h");
  server.on("connection", (socket: WebSocket) => {
    sendTogether(socket, () => {
      socket.send("before");
      sendText(socket, head, Buffer.from("tail"));
      socket.send("behind");
    });
    socket.terminate();
    sendText(socket, Buffer.from("to nobody"));
  });

  const peer = net.connect((server.address() as AddressInfo).port, "127.0.0.1");
  peer.write(
    "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  const chunks: Buffer[] = [];
  for await (const chunk of peer) chunks.push(chunk as Buffer);
  const all = Buffer.concat(chunks);
  const frames = all.subarray(all.indexOf("\r\n\r\n") + 4);
  const short = (text: string) => Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);
  const length = head.length + 4;
  const header = Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x74]);
  assert.equal(header.readUInt32BE(6), length);
  const expected = Buffer.concat([short("before"), header, head, Buffer.from("tail"), short("behind")]);
  assert.ok(frames.equals(expected), `${frames.length} bytes instead of ${expected.length}`);
});
