import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import tls from "node:tls";
import { freePort } from "../../../test/helpers/clawkit.ts";
import { certificate, pages, serve, tcp } from "../../../test/helpers/servers.ts";
import { localTarget, parseTarget } from "../target.ts";
import { authority, get, speaksTls, upgrade } from "./probe.ts";

const at = (port: number) => localTarget(port, false);

test("an answer is its status and its body", async (t) => {
  const port = await serve(t, pages({ "/readyz": [503, '{"reason":"busy"}'] }));
  assert.deepEqual(await get(at(port), "/readyz"), {
    kind: "status",
    status: 503,
    body: '{"reason":"busy"}',
  });
});

test("the path and the host are asked for as they are", async (t) => {
  const asked = Promise.withResolvers<string[]>();
  const server = http.createServer((request, response) => {
    asked.resolve([request.method!, request.url!, request.headers.host!]);
    response.end();
  });
  const port = await serve(t, server);
  await get(at(port), "/startupz");
  assert.deepEqual(await asked.promise, ["GET", "/startupz", `127.0.0.1:${port}`]);
});

// RFC 9112 §7.1: what a server of Node sends if it is not told the length
test("an answer in chunks is put together", async (t) => {
  const server = http.createServer((_, response) => {
    response.write('{"ok":');
    setImmediate(() => response.end("true}"));
  });
  assert.deepEqual(await get(at(await serve(t, server)), "/healthz"), {
    kind: "status",
    status: 200,
    body: '{"ok":true}',
  });
});

test("an answer without a length lasts until its end", async (t) => {
  const server = tcp((socket) => {
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    setImmediate(() => socket.end("late"));
  });
  assert.deepEqual(await get(at(await serve(t, server)), "/"), { kind: "status", status: 200, body: "late" });
});

test("an answer without end is read so far", async (t) => {
  const server = tcp((socket) => {
    const more = () => void (socket.writable && socket.write("x".repeat(8_192), more));
    socket.write("HTTP/1.1 200 OK\r\n\r\n", more);
  });
  const answer = await get(at(await serve(t, server)), "/");
  assert.equal(answer.kind === "status" && answer.status, 200);
});

test("an upgrade that is accepted is seen, and the connection ends", async (t) => {
  const closed = Promise.withResolvers<void>();
  const server = http.createServer().on("upgrade", (_, socket) => {
    socket.on("end", () => closed.resolve()).on("error", () => closed.resolve());
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    socket.resume();
  });
  const answer = await upgrade(at(await serve(t, server)), "/");
  assert.deepEqual(answer, { kind: "status", status: 101, body: "" });
  await closed.promise;
});

test("nobody there is refused", async () => {
  const { kind } = await get(at(await freePort()), "/");
  assert.equal(kind, "refused");
});

test("nobody there under a name of two addresses is refused", async () => {
  const { kind } = await get(parseTarget(`ws://localhost:${await freePort()}`), "/");
  assert.equal(kind, "refused");
});

// on a crowded machine this process is late, and then its timers come before what the sockets have
test("nobody there is refused, also if the answer is read late", async () => {
  const asked = get(at(await freePort()), "/");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
  assert.equal((await asked).kind, "refused");
});

test("one that takes connections and says nothing is silent", async (t) => {
  const server = tcp((socket) => socket.resume());
  const answer = await get(at(await serve(t, server)), "/");
  assert.deepEqual(answer, {
    kind: "silent",
    detail: "it accepts connections and does not answer within 1200 ms",
  });
});

test("one that hangs up, and one that resets, do not answer", async (t) => {
  const hangsUp = await serve(
    t,
    tcp((socket) => socket.resume().once("data", () => socket.end())),
  );
  const resets = await serve(
    t,
    tcp((socket) => socket.once("data", () => socket.resetAndDestroy())),
  );
  assert.deepEqual(await get(at(hangsUp), "/"), {
    kind: "reset",
    detail: "it accepts connections and ends them without an answer",
  });
  assert.deepEqual(await get(at(resets), "/"), {
    kind: "reset",
    detail: "it resets connections (ECONNRESET)",
  });
});

test("one that speaks another protocol is no HTTP server", async (t) => {
  const server = tcp((socket) => socket.end("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"));
  const { kind } = await get(at(await serve(t, server)), "/");
  assert.equal(kind, "other");
});

test("one that answers with a TLS alert speaks TLS", async (t) => {
  // fatal, unexpected_message (RFC 8446 §6.2)
  const server = tcp((socket) => socket.end(Buffer.from("1503010002020a", "hex")));
  const { kind } = await get(at(await serve(t, server)), "/");
  assert.equal(kind, "alert");
});

test("a TLS server answers over TLS, and is known for one when asked without", async (t) => {
  const keys = await certificate(t);
  if (keys === undefined) return;
  const server = tls.createServer(keys, (socket) => socket.end("HTTP/1.1 200 OK\r\n\r\nok"));
  server.on("tlsClientError", () => undefined);
  const port = await serve(t, server);
  assert.deepEqual(await get(localTarget(port, true), "/"), { kind: "status", status: 200, body: "ok" });
  assert.ok(["alert", "reset"].includes((await get(at(port), "/")).kind));
  assert.equal(await speaksTls(at(port)), true);
});

test("a plain server that is asked over TLS does not speak it", async (t) => {
  const port = await serve(t, pages({}));
  assert.equal((await get(localTarget(port, true), "/")).kind, "plain");
  assert.equal(await speaksTls(at(port)), false);
});

test("a name that does not exist cannot be resolved", async () => {
  // RFC 6761 §6.4: `.invalid` never resolves
  const { kind } = await get(parseTarget("ws://gateway.invalid:28789"), "/");
  assert.equal(kind, "name");
});

test("an IPv6 address has brackets, and only there", () => {
  assert.equal(authority(parseTarget("ws://[::1]:28789")), "[::1]:28789");
  assert.equal(authority(at(28789)), "127.0.0.1:28789");
});
