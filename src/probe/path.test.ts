import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import net, { type Socket } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { WebSocketServer } from "ws";
import { TestCertificate } from "../../test/helpers/tls.ts";
import { acceptFor } from "../protocol/upgrade.ts";
import { probePath } from "./path.ts";
import { targetOf } from "./target.ts";
import type { PathReport, Step, StepId } from "./types.ts";

const YEAR_MS = 365 * 24 * 3_600_000;

async function probe(
  url: string,
  options: { env?: NodeJS.ProcessEnv; now?: number; isLarge?: boolean } = {},
) {
  const { env = {}, now = Date.now(), isLarge = false } = options;
  const signal = AbortSignal.timeout(30_000);
  const { report } = await probePath(targetOf(url), { env, now, isLarge, signal, onStep: () => undefined });
  return report;
}

function failsAt(report: PathReport, id: StepId, told: RegExp): void {
  assert.equal(report.failedAt, id, JSON.stringify(report, null, 2));
  assert.equal(report.ok, false);
  assert.match(report.summary, told);
}

function verdictsOf({ steps }: PathReport): string[] {
  return steps.map(({ id, verdict }) => `${id} ${verdict}`);
}

async function listening(t: TestContext, server: net.Server, host = "127.0.0.1"): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  server.listen(0, host);
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

async function gateway(t: TestContext, onSocket: (socket: import("ws").WebSocket) => void = () => undefined) {
  const server = http.createServer((_, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ server, maxPayload: 100 * 1024 });
  sockets.on("connection", (socket) => {
    socket.on("error", () => undefined);
    onSocket(socket);
  });
  return await listening(t, server);
}

/** Upgrades whoever asks, and leaves the rest to `onData`. */
function upgrading(onData: (socket: Socket, chunk: Buffer) => void): net.Server {
  return net.createServer((socket) => {
    socket.once("data", (head: Buffer) => {
      const key = /Sec-WebSocket-Key: (.*)\r\n/.exec(head.toString())![1]!;
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${acceptFor(key)}\r\n\r\n`,
      );
      socket.on("data", (chunk: Buffer) => onData(socket, chunk));
    });
  });
}

describe("a path", { concurrency: true }, () => {
  test("that works is walked layer by layer to the goodbye", async (t) => {
    const received: string[] = [];
    const port = await gateway(t, (socket) => socket.on("message", (data) => received.push(String(data))));
    const report = await probe(`ws://127.0.0.1:${port}/path?token=secret`);
    assert.deepEqual([report.ok, report.failedAt], [true, null], JSON.stringify(report, null, 2));
    assert.deepEqual(verdictsOf(report), [
      "dns ok",
      "tcp ok",
      "upgrade ok",
      "first-message ok",
      "ping ok",
      "frames ok",
      "close ok",
    ]);
    assert.doesNotMatch(JSON.stringify(report), /secret/);
    assert.deepEqual(received, [], "no program on the other side got a message");
  });

  test("over IPv6 works, and names the host in brackets", async (t) => {
    const hosts: (string | undefined)[] = [];
    const server = http.createServer();
    server.on("upgrade", ({ headers }) => hosts.push(headers.host));
    new WebSocketServer({ server });
    const port = await listening(t, server, "::1").catch(() => undefined);
    if (port === undefined) return t.skip("this machine has no IPv6");
    assert.equal((await probe(`ws://[::1]:${port}`)).ok, true);
    assert.equal(hosts[0], `[::1]:${port}`);
  });

  test("to a gateway that speaks first, as OpenClaw's does", async (t) => {
    const port = await gateway(t, (socket) => socket.send('{"type":"event","event":"connect.challenge"}'));
    const report = await probe(`http://127.0.0.1:${port}`);
    assert.match(report.steps.find(({ id }) => id === "first-message")!.detail, /asks for a sign-in/);
  });

  test("with a name that there is not fails at the name", async () => {
    failsAt(await probe("ws://no-such-host.invalid"), "dns", /has no address/);
  });

  test("to a port where nobody listens fails at the port", async (t) => {
    const port = await listening(t, net.createServer());
    await new Promise((resolve) => setImmediate(resolve));
    const free = net.createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port: closed } = free.address() as net.AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    assert.notEqual(closed, port);
    failsAt(await probe(`ws://127.0.0.1:${closed}`), "tcp", /nothing listens there/);
  });

  test("to a server without TLS, asked for with wss, fails at TLS", async (t) => {
    const port = await gateway(t);
    failsAt(await probe(`wss://127.0.0.1:${port}`), "tls", /no TLS/);
  });

  test("with a certificate that has expired, or is of nobody who is trusted, fails at TLS, and is looked at further", async (t) => {
    const certificate = await TestCertificate.make();
    if (typeof certificate === "string") return t.skip(certificate);
    t.after(() => certificate[Symbol.asyncDispose]());
    const server = https.createServer({ cert: certificate.pem, key: await readFile(certificate.key) });
    new WebSocketServer({ server });
    const port = await listening(t, server);
    const report = await probe(`wss://127.0.0.1:${port}`);
    failsAt(
      report,
      "tls",
      /not trusted here \(DEPTH_ZERO_SELF_SIGNED_CERT\), SHA-256 (?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/,
    );
    assert.deepEqual(verdictsOf(report).slice(-2), ["frames ok", "close ok"]);
    failsAt(
      await probe(`wss://127.0.0.1:${port}`, { now: Date.now() + YEAR_MS }),
      "tls",
      /expired \d+ days ago/,
    );
  });

  test("to a web server that refuses the upgrade fails there, and names who answered", async (t) => {
    const server = http.createServer();
    server.on("upgrade", (_, socket) => {
      socket.end("HTTP/1.1 403 Forbidden\r\nServer: nginx/1.22.1\r\nContent-Length: 0\r\n\r\n");
    });
    const port = await listening(t, server);
    failsAt(await probe(`ws://127.0.0.1:${port}`), "upgrade", /403 Forbidden \(answered by server: nginx/);
  });

  test("to a server with TLS, asked for with ws, fails at the upgrade, and says what to try", async (t) => {
    const server = net.createServer((socket) => socket.once("data", () => socket.end()));
    failsAt(
      await probe(`ws://127.0.0.1:${await listening(t, server)}`),
      "upgrade",
      /ended without an answer; .*try wss:\/\//,
    );
  });

  test("says in JSON, too, who answered the upgrade that works", async (t) => {
    const server = http.createServer();
    const sockets = new WebSocketServer({ server });
    sockets.on("headers", (headers) => headers.push("Via: 1.1 cache"));
    const { steps } = await probe(`ws://127.0.0.1:${await listening(t, server)}`);
    const { data } = steps.find(({ id }) => id === "upgrade")!;
    assert.deepEqual(data, {
      status: 101,
      headers: { via: "1.1 cache", connection: "Upgrade", upgrade: "websocket" },
    });
  });

  test("to something that is no HTTP fails at the upgrade", async (t) => {
    const server = net.createServer((socket) => socket.write("220 mail.example ESMTP\r\n\r\n"));
    failsAt(await probe(`ws://127.0.0.1:${await listening(t, server)}`), "upgrade", /is no HTTP: "220 mail/);
  });

  test("with something on it that answers for itself fails at the upgrade", async (t) => {
    const server = net.createServer((socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: made-up\r\n\r\n");
    });
    failsAt(
      await probe(`ws://127.0.0.1:${await listening(t, server)}`),
      "upgrade",
      /wrong Sec-WebSocket-Accept/,
    );
  });

  test("to a gateway that throws everybody out fails at the gateway, with its words", async (t) => {
    const port = await gateway(t, (socket) => socket.close(1008, "not you"));
    failsAt(await probe(`ws://127.0.0.1:${port}`), "first-message", /1008 "not you"/);
  });

  test("on which something else than frames comes back fails there", async (t) => {
    const server = upgrading((socket) => socket.write("garbage"));
    failsAt(await probe(`ws://127.0.0.1:${await listening(t, server)}`), "ping", /no WebSocket frame/);
  });

  test("that repeats what it was asked shows neither a token nor what a terminal would obey", async (t) => {
    const server = http.createServer();
    server.on("upgrade", (request, socket) => {
      const lines = [
        `Location: https://other.example${request.url}`,
        "Server: \u001b[2Jme\u009b31m",
        `Via: ${request.url}`,
      ];
      socket.end(`HTTP/1.1 302 Found\r\n${lines.join("\r\n")}\r\nContent-Length: 0\r\n\r\n`);
    });
    const report = await probe(`ws://127.0.0.1:${await listening(t, server)}/x?auth=s3cret-t0ken`);
    failsAt(report, "upgrade", /served elsewhere: https:\/\/other.example\/x/);
    assert.doesNotMatch(JSON.stringify(report), /s3cret/);
    // in JSON, too: nothing escapes what stands beyond ASCII
    assert.doesNotMatch(JSON.stringify(report), /\u001b|\\u001b|\u009b/);
  });

  test("is left at once when it is called off, whatever is being waited for", async (t) => {
    const silent = await listening(t, net.createServer());
    const swallowing = await listening(
      t,
      upgrading(() => undefined),
    );
    for (const [url, last] of [
      [`ws://127.0.0.1:${silent}`, "tcp"],
      [`wss://127.0.0.1:${silent}`, "tcp"],
      [`ws://127.0.0.1:${swallowing}`, "upgrade"],
    ] as const) {
      const stop = new AbortController();
      let stoppedAt = Number.NaN;
      const callOff = () => {
        stoppedAt = performance.now();
        stop.abort();
      };
      const onStep = ({ id }: Step) => id === last && setImmediate(callOff);
      const options = { env: {}, now: Date.now(), isLarge: false, signal: stop.signal, onStep };
      const { report, way } = await probePath(targetOf(url), options);
      assert.ok(performance.now() - stoppedAt < 500);
      assert.deepEqual([report.ok, report.stopped, report.failedAt, way], [false, true, null, undefined]);
      assert.equal(report.steps.at(-1)?.id, last);
    }
  });

  test("on which no frame comes back fails there", async (t) => {
    const server = upgrading(() => undefined);
    failsAt(await probe(`ws://127.0.0.1:${await listening(t, server)}`), "ping", /no ping is/);
  });

  test("to a gateway that answers only some of many pings is not taken for one with a small MTU", async (t) => {
    const server = upgrading((socket, chunk) => {
      const payloads = pingsIn(chunk);
      if (payloads.length > 1) return;
      for (const payload of payloads)
        socket.write(Buffer.concat([Buffer.from([0x8a, payload.length]), payload]));
    });
    const { ok, steps } = await probe(`ws://127.0.0.1:${await listening(t, server)}`);
    const frames = steps.find(({ id }) => id === "frames")!;
    assert.deepEqual([ok, frames.verdict, frames.data?.failed], [true, "warn", "many pings"]);
  });

  test("on which large messages die fails at their size", async (t) => {
    // answers pings, until more than 16 KiB came: then it is as a cable that was cut
    const server = upgrading(
      (() => {
        const got = new Map<Socket, number>();
        return (socket: Socket, chunk: Buffer) => {
          const before = got.get(socket) ?? 0;
          got.set(socket, before + chunk.length);
          if (before + chunk.length > 16 * 1024) return;
          for (const payload of pingsIn(chunk))
            socket.write(Buffer.concat([Buffer.from([0x8a, payload.length]), payload]));
        };
      })(),
    );
    failsAt(
      await probe(`ws://127.0.0.1:${await listening(t, server)}`),
      "frames",
      /a message of over 4 KiB, at most 16 KiB is not answered/,
    );
  });

  test("to a gateway with a limit of its own works, and tells the limit when it is asked for", async (t) => {
    const port = await gateway(t);
    const report = await probe(`ws://127.0.0.1:${port}`, { isLarge: true });
    assert.equal(report.ok, true);
    const frames = report.steps.find(({ id }) => id === "frames")!;
    assert.deepEqual(
      [frames.verdict, frames.data?.passed, frames.data?.failed],
      ["warn", 60 * 1024, 256 * 1024],
    );
    assert.match(frames.detail, /is refused, and closed with 1009/);
  });

  test("through a proxy of the environment: what the proxy says counts, and an exclusion is kept", async (t) => {
    const server = http.createServer();
    server.on("connect", (_, socket) => socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"));
    const proxy = await listening(t, server);
    const port = await gateway(t);
    const env = { HTTP_PROXY: `http://127.0.0.1:${proxy}` };
    failsAt(await probe(`ws://127.0.0.1:${port}`, { env }), "proxy", /answered CONNECT with 407/);
    assert.equal(
      (await probe(`ws://127.0.0.1:${port}`, { env: { ...env, NO_PROXY: "127.0.0.1" } })).ok,
      true,
    );
  });

  test("through a proxy that lets it pass works", async (t) => {
    const server = http.createServer();
    const asked: (string | undefined)[] = [];
    server.on("connect", (request, socket) => {
      asked.push(request.headers["proxy-authorization"]);
      const [host, port] = request.url!.split(":");
      const upstream = net.connect(Number(port), host, () => {
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
        upstream.pipe(socket).pipe(upstream);
      });
      upstream.on("error", () => socket.destroy());
    });
    const proxy = await listening(t, server);
    const port = await gateway(t);
    const report = await probe(`ws://127.0.0.1:${port}`, {
      env: { HTTP_PROXY: `http://me:s3cret@127.0.0.1:${proxy}` },
    });
    assert.deepEqual([report.ok, report.steps[0]?.id], [true, "proxy"], JSON.stringify(report, null, 2));
    assert.equal(asked[0], `Basic ${Buffer.from("me:s3cret").toString("base64")}`);
    assert.doesNotMatch(JSON.stringify(report), /s3cret/);
  });

  test("that would go through a proxy of another kind is walked straight, and that is said", async (t) => {
    const port = await gateway(t);
    const report = await probe(`ws://127.0.0.1:${port}`, { env: { ALL_PROXY: "socks5://127.0.0.1:1" } });
    assert.deepEqual([report.ok, verdictsOf(report)[1]], [true, "proxy warn"]);
    assert.match(report.summary, /socks5/);
  });
});

describe("an address", () => {
  for (const text of [
    "gateway.example",
    "ftp://gateway.example",
    "ws://",
    "ws://user:secret@host",
    "user:secret@host",
    "host?token=secret",
    "",
  ]) {
    test(`${JSON.stringify(text)} is refused with a sentence, and no secret in it`, () => {
      assert.throws(
        () => targetOf(text),
        ({ code, message }: { code: string; message: string }) =>
          code === "USAGE" && !message.includes("secret"),
      );
    });
  }

  test("has the ports of its scheme, and IPv6 without brackets", () => {
    assert.deepEqual([targetOf("wss://g.example").port, targetOf("http://g.example").port], [443, 80]);
    assert.equal(targetOf("ws://[::1]:18789").host, "::1");
  });
});

/** Payloads of masked pings in a chunk that has whole frames; what else is in it is passed over. */
function pingsIn(chunk: Buffer): Buffer[] {
  const payloads: Buffer[] = [];
  for (let at = 0; at + 6 <= chunk.length; ) {
    const short = chunk[at + 1]! & 0x7f;
    const header = short < 126 ? 6 : short === 126 ? 8 : 14;
    const length =
      short < 126
        ? short
        : short === 126
          ? chunk.readUInt16BE(at + 2)
          : Number(chunk.readBigUInt64BE(at + 2));
    const mask = chunk.subarray(at + header - 4, at + header);
    const payload = Buffer.from(chunk.subarray(at + header, at + header + length));
    for (let i = 0; i < payload.length; i++) payload[i] = payload[i]! ^ mask[i & 3]!;
    if (chunk[at] === 0x89) payloads.push(payload);
    at += header + length;
  }
  return payloads;
}
