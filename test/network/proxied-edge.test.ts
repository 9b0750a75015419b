import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import net, { type Socket } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { WebSocket } from "ws";
import type { IdleReport } from "../../src/probe/types.ts";
import { collect, program, sleep, TestClawkit } from "../helpers/clawkit.ts";
import { CLAWKIT } from "../helpers/command-line.ts";
import { serve } from "../helpers/servers.ts";
import { ProxyServer, whyNoProxy } from "./proxy-server.ts";

/** Of every proxy here; an edge that pings thrice as often is not noticed by it. */
const LIMIT_SEC = 6;
const SHORT_SEC = 2;
const LONG_SEC = 600;

/** Where clients of an edge go, and the proxy that their environment names. */
interface Front {
  readonly url: string;
  readonly viaPort?: number;
}

const fronts: Readonly<Record<string, (t: TestContext, edge: TestClawkit) => Promise<Front>>> = {
  nginx: (t, edge) => behind("nginx", t, edge),
  haproxy: (t, edge) => behind("haproxy", t, edge),
  "a CONNECT proxy": async (t, edge) => ({ url: edge.url, viaPort: await serve(t, connectProxy()) }),
};

async function behind(name: "nginx" | "haproxy", t: TestContext, edge: TestClawkit): Promise<Front> {
  const proxy = await ProxyServer.start(name, { upstream: edge.port, idleSec: LIMIT_SEC });
  t.after(() => proxy[Symbol.asyncDispose]());
  return { url: `ws://127.0.0.1:${proxy.port}` };
}

/** Lets everything pass, and ends what was silent for too long. */
function connectProxy(): http.Server {
  const server = http.createServer();
  server.on("connect", (request, socket: Socket) => {
    const [host, port] = request.url!.split(":");
    const upstream = net.connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(upstream).pipe(socket);
    });
    socket.setTimeout(LIMIT_SEC * 1000, () => socket.end());
    for (const one of [socket, upstream]) one.on("error", () => undefined);
    socket.on("close", () => upstream.destroy());
  });
  return server;
}

async function edge(t: TestContext, intervalSec: number): Promise<TestClawkit> {
  const upstream = { type: "command", command: program("echo") };
  const clawkit = await TestClawkit.run({ gateway: { upstream, keepalive: { intervalSec } } });
  t.after(() => clawkit[Symbol.asyncDispose]());
  return clawkit;
}

/** A client that says nothing by itself; it is through when it has its upgrade. */
async function quietClient({ url, viaPort }: Front): Promise<WebSocket> {
  const way = viaPort === undefined ? undefined : await tunnel(viaPort, new URL(url).host);
  const socket = new WebSocket(url, way === undefined ? {} : { createConnection: () => way });
  await once(socket, "open");
  return socket;
}

async function tunnel(port: number, to: string): Promise<Socket> {
  const request = http.request({ port, host: "127.0.0.1", method: "CONNECT", path: to }).end();
  const [, socket] = (await once(request, "connect")) as [unknown, Socket];
  return socket;
}

describe("a proxy in front of the edge, with an idle limit", { concurrency: true }, () => {
  for (const [name, front] of Object.entries(fronts)) {
    const skip = process.env.CI || name.startsWith("a ") ? false : whyNoProxy(name as "nginx" | "haproxy");
    test(`${name} ends nobody while the edge pings more often`, { skip }, async (t) => {
      const client = await quietClient(await front(t, await edge(t, SHORT_SEC)));
      t.after(() => client.terminate());
      const end = once(client, "close").then(([code]) => `closed with ${code}`);
      assert.equal(await Promise.race([end, sleep(3 * LIMIT_SEC * 1000).then(() => "open")]), "open");
    });

    test(`${name} is named by the probe where the edge pings less often`, { skip }, async (t) => {
      const clawkit = await edge(t, LONG_SEC);
      const { url, viaPort } = await front(t, clawkit);
      const args = [CLAWKIT, "probe", url, "--max", "20s", "--json"];
      const proxies =
        viaPort === undefined
          ? {}
          : { HTTP_PROXY: `http://127.0.0.1:${viaPort}`, NO_PROXY: "", no_proxy: "" };
      const env = { ...clawkit.env, ...proxies };
      const { stdout, stderr } = await collect(
        spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] }),
      );
      const { idle } = JSON.parse(stdout || stderr) as { idle: IdleReport };
      assert.deepEqual([idle.kind, idle.keepaliveHolds, idle.serverSpeaksSec], ["fin", true, null], stdout);
      assert.ok(Math.abs(idle.limitSec! - LIMIT_SEC) <= 1, stdout);
      assert.match(idle.likelyBoxes[0]!, /reverse proxy/);
    });
  }
});
