import assert from "node:assert/strict";
import http from "node:http";
import net from "node:net";
import { describe, type TestContext, test } from "node:test";
import tls from "node:tls";
import { freePort } from "../../../test/helpers/clawkit.ts";
import { hostWith, machineWith, processWith } from "../../../test/helpers/machine.ts";
import { certificate, pages, serve, tcp } from "../../../test/helpers/servers.ts";
import type { Machine } from "../machine.ts";
import { parseTarget } from "../target.ts";
import { answer } from "./answer.ts";

/** The ids of what is found at an address. */
async function found(url: string, changes: Partial<Machine> = {}): Promise<string[]> {
  const target = parseTarget(url);
  const machine = machineWith({ target, configuredPort: async () => target.port, ...changes });
  return (await answer.look(machine)).map(({ id }) => id);
}

const OK = [200, '{"ok":true}'] as const;

const SWITCHED = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/** A frame with the first event of a gateway: 81, the length, text. */
function challenge(): string {
  const text = '{"type":"event","event":"connect.challenge"}';
  return `\x81${String.fromCharCode(text.length)}${text}`;
}

async function gateway(t: TestContext, more: Parameters<typeof pages>[0] = {}): Promise<string> {
  return `ws://127.0.0.1:${await serve(t, pages({ "/healthz": OK, ...more }))}`;
}

describe("a gateway", () => {
  test("that is well answers", async (t) => {
    const url = await gateway(t, { "/readyz": [200, '{"ready":true}'], "/startupz": OK });
    assert.deepEqual(await found(url), ["http-answers", "healthz-ok"]);
  });

  test("that is well is not asked for a WebSocket, except with --deep", async (t) => {
    const server = pages({ "/healthz": OK });
    const url = `ws://127.0.0.1:${await serve(t, server)}`;
    let upgrades = 0;
    server.on("upgrade", (_, socket) => {
      upgrades++;
      socket.on("error", () => undefined);
      socket.end(Buffer.from(`${SWITCHED}${challenge()}`, "latin1"));
    });
    await found(url);
    assert.equal(upgrades, 0);
    assert.ok((await found(url, { isDeep: true })).includes("upgrade-accepted"));
  });

  test("that is unwell says why", async (t) => {
    const url = await gateway(t, { "/healthz": [503, '{"ok":false,"reason":"the gateway hangs"}'] });
    const facts = await answer.look(machineWith({ target: parseTarget(url) }));
    const unwell = facts.find(({ id }) => id === "not-healthy");
    assert.equal(unwell?.detail, "/healthz answers HTTP 503: the gateway hangs");
  });

  test("that is not ready, and what is missing", async (t) => {
    const url = await gateway(t, { "/readyz": [503, '{"ready":false,"failing":["channels"]}'] });
    const facts = await answer.look(machineWith({ target: parseTarget(url) }));
    assert.equal(
      facts.find(({ id }) => id === "not-ready")?.detail,
      '/readyz answers HTTP 503: ["channels"]',
    );
  });

  test("that is still starting", async (t) => {
    const url = await gateway(t, { "/readyz": [503, "{}"], "/startupz": [503, "{}"] });
    assert.deepEqual(await found(url), ["http-answers", "healthz-ok", "not-ready", "starting-up"]);
  });

  test("whose event loop is degraded", async (t) => {
    const body = '{"ready":true,"eventLoop":{"degraded":true,"reasons":["event_loop_delay"]}}';
    assert.ok((await found(await gateway(t, { "/readyz": [200, body] }))).includes("loop-degraded"));
  });

  test("that is busy and answers", async (t) => {
    const body = '{"ready":true,"eventLoop":{"degraded":true,"reasons":["event_loop_utilization","cpu"]}}';
    assert.ok(!(await found(await gateway(t, { "/readyz": [200, body] }))).includes("loop-degraded"));
  });
});

describe("what is no gateway", () => {
  // OpenClaw was down, and a web server that had taken its port said 200 {"status":"degraded"}: it was called healthy.
  test("a web server that has a status", async (t) => {
    const url = await gateway(t, { "/healthz": [200, '{"status":"degraded: database gone"}'] });
    assert.deepEqual(await found(url), ["http-answers", "upgrade-refused"]);
  });

  test("a WebSocket server that does not greet", async (t) => {
    const server = pages({}).on("upgrade", (_, socket) => socket.on("error", () => undefined).end(SWITCHED));
    const url = `ws://127.0.0.1:${await serve(t, server)}`;
    assert.deepEqual(await found(url), ["http-answers", "upgrade-unlike-gateway"]);
  });

  test("a web server of another program that says ok: it is asked to greet", async (t) => {
    const url = await gateway(t);
    const process = processWith({ pid: 812, executable: "/usr/bin/python3", command: "python3 web.py" });
    const host = hostWith({ process: async () => process });
    const portOwners = async () => [{ address: "127.0.0.1", pid: 812, command: "python3 web.py" }];
    assert.deepEqual(await found(url, { host, portOwners }), [
      "http-answers",
      "healthz-ok",
      "upgrade-refused",
    ]);
  });

  test("a web page: it is asked for a WebSocket", async (t) => {
    const url = await gateway(t, { "/healthz": [200, "<h1>It works!</h1>"] });
    assert.deepEqual(await found(url), ["http-answers", "upgrade-refused"]);
  });

  test("a web server that hangs up on an upgrade", async (t) => {
    const server = http.createServer((_, response) => response.writeHead(404).end());
    server.on("upgrade", (_, socket) => socket.destroy());
    const url = `ws://127.0.0.1:${await serve(t, server)}`;
    assert.deepEqual(await found(url), ["http-answers", "upgrade-unanswered"]);
  });

  test("a server of another protocol", async (t) => {
    const server = tcp((socket) => socket.end("220 mail.example.org ESMTP\r\n"));
    assert.deepEqual(await found(`ws://127.0.0.1:${await serve(t, server)}`), ["not-http"]);
  });

  test("a server that says nothing", async (t) => {
    const port = await serve(
      t,
      tcp((socket) => socket.resume()),
    );
    assert.deepEqual(await found(`ws://127.0.0.1:${port}`), ["http-silent"]);
  });

  test("one that hangs up, over TLS too", async (t) => {
    const port = await serve(
      t,
      tcp((socket) => socket.resume().once("data", () => socket.end())),
    );
    assert.deepEqual(await found(`ws://127.0.0.1:${port}`), ["connect-reset"]);
  });

  test("one that resets", async (t) => {
    const port = await serve(
      t,
      tcp((socket) => socket.once("data", () => socket.resetAndDestroy())),
    );
    assert.deepEqual(await found(`ws://127.0.0.1:${port}`), ["connect-reset"]);
  });
});

describe("TLS", () => {
  test("is there, and was asked without", async (t) => {
    const keys = await certificate(t);
    if (keys === undefined) return;
    const page = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    const server = tls.createServer(keys, (socket) => socket.on("error", () => undefined).end(page));
    server.on("tlsClientError", () => undefined);
    assert.ok((await found(`ws://127.0.0.1:${await serve(t, server)}`)).includes("tls-there"));
  });

  test("is not there, and was asked for", async (t) => {
    assert.deepEqual(await found((await gateway(t)).replace("ws:", "wss:")), ["plain-there"]);
  });
});

const withoutIpv6 = await new Promise<string | false>((resolve) => {
  const server = net.createServer().once("error", () => resolve("this machine has no ::1"));
  server.listen(0, "::1", () => server.close(() => resolve(false)));
});

describe("nobody", () => {
  test("listens there", async () => {
    assert.deepEqual(await found(`ws://127.0.0.1:${await freePort()}`), ["connect-refused"]);
  });

  test("listens on IPv4, and the gateway does on IPv6", { skip: withoutIpv6 }, async (t) => {
    const port = await serve(t, pages({ "/healthz": OK }), "::1");
    assert.deepEqual(await found(`ws://127.0.0.1:${port}`), ["connect-refused", "other-family-answers"]);
  });

  test("listens on IPv6, and the gateway does on IPv4", { skip: withoutIpv6 }, async (t) => {
    const url = (await gateway(t)).replace("127.0.0.1", "[::1]");
    assert.deepEqual(await found(url), ["connect-refused", "other-family-answers"]);
  });

  test("listens on the port that was asked, and the gateway does on the configured one", async (t) => {
    const configuredPort = Number(new URL(await gateway(t)).port);
    const ids = await found(`ws://127.0.0.1:${await freePort()}`, {
      configuredPort: async () => configuredPort,
    });
    assert.deepEqual(ids, ["connect-refused", "configured-port-answers"]);
  });

  test("has that name", async () => {
    assert.deepEqual(await found("ws://gateway.invalid:28789"), ["name-unresolved"]); // RFC 6761 §6.4
  });
});
