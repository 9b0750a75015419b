import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import type { DemoRow } from "../cli/context.ts";
import { callControl } from "../cli/control-client.ts";
import { socketPath } from "../config/paths.ts";
import { Child } from "../supervisor/child.ts";
import { findFreePort } from "../supervisor/free-port.ts";
import { terminate } from "../supervisor/terminate.ts";
import { entryPath } from "./entries.ts";
import { sendSignal } from "./real.ts";

const CLIENTS = 50;

/** Whoever restarts the plain server notices its end after this long: a quick service manager. */
const PLAIN_RESTART_MS = 1_000;

/** A client's pause between two tries. */
const RETRY_MS = 200;

const STEP_TIMEOUT_MS = 12_000;
const STOP_GRACE_MS = 3_000;

interface Victim {
  readonly url: string;
  /** Kills the server with -9; it comes back by whoever restarts it. */
  readonly kill: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** The same clients on a plain server and through ClawKit, both killed with -9. Leaves nothing behind. */
export async function runDemo(options: {
  readonly progress: (text: string) => void;
  readonly interrupted: AbortSignal;
}): Promise<DemoRow[]> {
  const rows: DemoRow[] = [];
  for (const [name, start] of [
    ["plain ws server", startPlain],
    ["behind ClawKit", startClawkit],
  ] as const) {
    options.interrupted.throwIfAborted();
    options.progress(`${name}: starting`);
    const victim = await start();
    try {
      rows.push(await measure(name, victim, options.progress));
    } finally {
      await victim.stop();
    }
  }
  return rows;
}

async function measure(name: string, victim: Victim, progress: (text: string) => void): Promise<DemoRow> {
  await untilServed(victim.url);
  const sockets = await Promise.all(Array.from({ length: CLIENTS }, () => open(victim.url)));
  const ends = Promise.all(sockets.map(untilClosed));
  progress(`${name}: ${CLIENTS} clients connected, killing the server with -9`);
  const killedAt = performance.now();
  await victim.kill();
  const seen = await ends;
  const failures = await untilServed(victim.url);
  const seconds = ((performance.now() - killedAt) / 1000).toFixed(1);
  const refused = failures === 0 ? "none refused" : `${failures} tries refused`;
  return { server: name, clients: CLIENTS, saw: mostFrequent(seen), servedAgain: `${seconds} s, ${refused}` };
}

async function startPlain(): Promise<Victim> {
  const port = await findFreePort();
  const spawnServer = () =>
    new Child({
      command: process.execPath,
      args: [entryPath("demo-server")],
      env: { ...process.env, PORT: String(port) },
      ipc: false,
      ownGroup: true,
      onLine: () => undefined,
      sendSignal,
    });
  let server = spawnServer();
  let respawn: NodeJS.Timeout | undefined;
  return {
    url: `ws://127.0.0.1:${port}`,
    kill: async () => {
      server.signal("SIGKILL");
      await server.ended;
      respawn = setTimeout(() => {
        server = spawnServer();
      }, PLAIN_RESTART_MS);
    },
    stop: () => {
      clearTimeout(respawn);
      return terminate(server, { graceMs: STOP_GRACE_MS });
    },
  };
}

/** ClawKit as a user runs it, with a state directory of its own and the plain server as its gateway. */
async function startClawkit(): Promise<Victim> {
  const port = await findFreePort();
  const stateDir = await mkdtemp(join(tmpdir(), "clawkit-demo-"));
  const command = [process.execPath, entryPath("demo-server")];
  const config = { gateway: { port, upstream: { type: "command", command } } };
  await writeFile(join(stateDir, "config.json5"), JSON.stringify(config), { mode: 0o600 });
  const { CLAWKIT_GATEWAY_PORT: _, ...env } = process.env;
  const supervisor = new Child({
    command: process.execPath,
    args: [entryPath("supervisor")],
    env: { ...env, CLAWKIT_STATE_DIR: stateDir },
    ipc: false,
    ownGroup: true,
    onLine: () => undefined,
    sendSignal,
  });
  const controlPath = socketPath(stateDir, "control", process.platform, tmpdir());
  return {
    url: `ws://127.0.0.1:${port}`,
    kill: async () => {
      const status = await callControl(controlPath, { op: "status" }, () => undefined);
      const pid = status?.gateway.pid;
      if (pid) sendSignal(pid, "SIGKILL");
    },
    stop: async () => {
      await terminate(supervisor, { graceMs: STOP_GRACE_MS * 2 });
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

function open(url: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { handshakeTimeout: STEP_TIMEOUT_MS });
    socket.once("open", () => resolve(socket));
    socket.once("error", reject);
  });
}

function untilClosed(socket: WebSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.once("error", () => undefined); // 'close' follows
    socket.once("close", (code, reason) => {
      resolve(code === 1006 ? "1006 abnormal closure (no close frame)" : `${code} ${reason}`);
    });
  });
}

/** Tries until a client is served; returns how many tries were refused. */
async function untilServed(url: string): Promise<number> {
  const deadline = performance.now() + STEP_TIMEOUT_MS;
  for (let failures = 0; ; failures++) {
    try {
      const socket = await open(url);
      socket.terminate();
      return failures;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

function mostFrequent(seen: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of seen) counts.set(text, (counts.get(text) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  return sorted.map(([text, n]) => (n === seen.length ? `all ${text}` : `${n} × ${text}`)).join(", ");
}
