// The built-in gateway with its journal, or a bare `ws` server that answers the same JSON without one; no edge before
// either: server.ts gateway|bare <folder>. Asked over stdin it says how long its event loop stood still at most, since it was asked
// before; leaves when that closes.
import { createServer } from "node:http";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { WebSocketServer } from "ws";
import { modulesOf } from "../../src/bin/gateway-modules.ts";
import type { GatewaySettings } from "../../src/core/messages.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { EDGE_KEY, TOKEN } from "./keys.ts";

const [kind, folder = ""] = process.argv.slice(2);
const socketPath = join(folder, "gateway.sock");

if (kind === "gateway") {
  const settings: GatewaySettings = {
    socketPath,
    port: 18789,
    auth: { mode: "token", secret: TOKEN },
    edgeKey: EDGE_KEY,
    generation: 1,
    isBehindKill: false,
    journalPath: join(folder, "journal.db"),
    isDurable: false,
    configPath: join(folder, "config.json5"),
    logFile: join(folder, "gateway.log"),
    modules: [],
  };
  const gateway = new Gateway({
    settings,
    modules: modulesOf(settings, () => undefined),
    clock: { now: () => performance.now(), wall: () => Date.now() },
    process: { pid: process.pid, rssBytes: () => process.memoryUsage.rss() },
    log: (line) => console.log(line),
    requestRestart: () => undefined,
    onUnusable: (error) => {
      throw error;
    },
  });
  await gateway.listen();
} else {
  const server = createServer();
  new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (socket) => {
    socket.send('{"type":"event","event":"connect.challenge","payload":{"nonce":"n","ts":0}}');
    socket.on("message", (data) => {
      const { id, method } = JSON.parse(data.toString()) as { id: string; method: string };
      const payload = method === "health" ? { ok: true, ts: Date.now(), durationMs: 0 } : { ok: true };
      socket.send(JSON.stringify({ type: "res", id, ok: true, payload }));
    });
  });
  await new Promise<void>((resolve) => server.listen({ path: socketPath, backlog: 4096 }, resolve));
}
console.log("listening");
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
process.stdin
  .on("data", () => {
    // the timer's own millisecond is no stall
    console.log(JSON.stringify({ stallMs: Math.max(0, delay.max / 1e6 - 1) }));
    delay.reset();
  })
  .on("end", () => process.exit());
