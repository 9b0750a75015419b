import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { type WebSocket, WebSocketServer } from "ws";
import type { IdleReport } from "../../src/probe/types.ts";
import { collect, ROOT } from "../helpers/clawkit.ts";
import { CLAWKIT, CommandLine } from "../helpers/command-line.ts";
import { whyNoNamespaces } from "../helpers/network.ts";
import { NatPath } from "./lab.ts";
import { ProxyServer, whyNoProxy } from "./proxy-server.ts";

/** 45 and 60 s need eleven minutes: `npm run soak:network`. */
const isSoak = process.env.CLAWKIT_NETWORK_SOAK === "1";

const KEPT_CLIENT = join(ROOT, "test/network/programs/kept-client.ts");

/** Where a limit stands: an address, and the words in front of a client's command. */
interface Limited {
  readonly url: string;
  readonly onClient: readonly string[];
}

type Kind = Exclude<IdleReport["kind"], "none">;

/** Puts a limit of that kind in front of a server. */
async function limited(t: TestContext, kind: Kind, limitSec: number): Promise<Limited> {
  if (kind === "silent-drop" || kind === "reset") {
    const path = new NatPath({ idleSec: limitSec, forgotten: kind === "reset" ? "reset" : "drop" });
    t.after(() => path[Symbol.dispose]());
    const port = await served(t, "0.0.0.0");
    return { url: `ws://${path.gateway}:${port}`, onClient: path.onClient };
  }
  if (kind === "close")
    return { url: `ws://127.0.0.1:${await served(t, "127.0.0.1", limitSec)}`, onClient: [] };
  const name = limitSec === 20 ? "haproxy" : "nginx";
  const proxy = await ProxyServer.start(name, { upstream: await served(t), idleSec: limitSec });
  t.after(() => proxy[Symbol.asyncDispose]());
  return { url: `ws://127.0.0.1:${proxy.port}`, onClient: [] };
}

/** A server that says nothing by itself; with a limit it closes who is silent for longer. */
async function served(t: TestContext, host = "127.0.0.1", limitSec?: number): Promise<number> {
  const server = new WebSocketServer({ host, port: 0 });
  server.on("connection", (socket) => {
    socket.on("error", () => undefined);
    if (limitSec !== undefined) closeIdle(socket, limitSec);
  });
  await once(server, "listening");
  t.after(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

function closeIdle(socket: WebSocket, limitSec: number): void {
  const close = () => socket.close(4008, "too quiet");
  let timer = setTimeout(close, limitSec * 1000);
  socket.on("ping", () => {
    clearTimeout(timer);
    timer = setTimeout(close, limitSec * 1000);
  });
  socket.on("close", () => clearTimeout(timer));
}

describe("an idle limit", { concurrency: true }, () => {
  let line: CommandLine;
  before(async () => {
    line = await CommandLine.create();
  });
  after(() => line[Symbol.asyncDispose]());

  async function run(words: readonly string[]): Promise<unknown> {
    const [command, ...args] = words;
    const child = spawn(command!, args, { env: line.env, stdio: ["ignore", "pipe", "pipe"] });
    const { code, stdout, stderr } = await collect(child);
    assert.equal(code, 0, stdout + stderr);
    return JSON.parse(stdout);
  }

  const probe = ({ onClient, url }: Limited, maxSec: number) =>
    run([...onClient, process.execPath, CLAWKIT, "probe", url, "--json", "--max", `${maxSec}s`]) as Promise<{
      idle: IdleReport;
    }>;

  /** How long clients that ping so often were kept. */
  const kept = ({ onClient, url }: Limited, forSec: number, intervals: readonly number[]) =>
    run([...onClient, process.execPath, KEPT_CLIENT, url, ...[forSec, ...intervals].map(String)]) as Promise<
      Record<string, number>
    >;

  /** The keepalives that a limit found within its bounds can lead to: they are tried while the probe still searches. */
  const likely = (limitSec: number) => {
    const most = Math.min(20, Math.floor((limitSec + 1) / 2.2));
    return [most - 2, most - 1, most];
  };

  for (const limitSec of isSoak ? [12, 20, 45, 60] : [12, 20]) {
    for (const kind of ["silent-drop", "reset", "fin", "close"] as const) {
      const tenTimes = limitSec === 12 || isSoak;
      const needs =
        kind === "fin"
          ? whyNoProxy(limitSec === 20 ? "haproxy" : "nginx")
          : kind === "close"
            ? false
            : whyNoNamespaces();
      const skip = process.env.CI ? false : needs;
      test(`of ${limitSec} s by ${kind} is found${tenTimes ? ", and the keepalive survives ten times as long" : ""}`, {
        skip,
      }, async (t) => {
        const path = await limited(t, kind, limitSec);
        const keeping = tenTimes ? kept(path, 10 * limitSec, likely(limitSec)) : undefined;
        const { idle } = await probe(path, 2 * limitSec);
        const found = `${idle.limitSec} ± ${idle.toleranceSec} s by ${idle.kind}, keepalive ${idle.recommendedKeepaliveSec} s`;
        const keptSec = (await keeping)?.[idle.recommendedKeepaliveSec];
        t.diagnostic(`${limitSec} s by ${kind}: found ${found}${tenTimes ? `, kept for ${keptSec} s` : ""}`);
        assert.equal(idle.kind, kind, found);
        assert.ok(Math.abs(idle.limitSec! - limitSec) <= Math.max(2, 0.1 * limitSec), found);
        assert.equal(idle.keepaliveHolds, true);
        assert.equal(idle.code, kind === "close" ? 4008 : null);
        if (tenTimes) assert.ok(keptSec! >= 10 * limitSec, `${found}, kept for ${keptSec} s`);
      });
    }
  }
});
