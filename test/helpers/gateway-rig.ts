import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { TestContext } from "node:test";
import { modulesOf } from "../../src/bin/gateway-modules.ts";
import type { GatewaySettings, GatewayToSupervisor } from "../../src/core/messages.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { RawGatewayClient } from "./raw-gateway-client.ts";

export const TOKEN = "a-shared-secret-of-some-length";
export const EDGE_KEY = "what-only-the-edge-knows";
export const NOW = 1_800_000_000_000;

/**
 * A gateway of this process. With `mock`, its timers are the test's. In the `folder` of another it goes on where that one
 * ended.
 */
export async function startGateway(
  t: TestContext,
  options: {
    mock?: boolean;
    folder?: string;
    settings?: Partial<GatewaySettings>;
    rssBytes?: () => number;
    wall?: () => number;
    onUnusable?: (error: Error) => void;
  } = {},
) {
  if (options.mock) t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const dir = options.folder ?? (await mkdtemp(join(tmpdir(), "clawkit-gateway-")));
  const socketPath =
    process.platform === "win32" ? `\\\\.\\pipe\\${basename(dir)}` : join(dir, "gateway.sock");
  const settings: GatewaySettings = {
    socketPath,
    port: 18789,
    auth: { mode: "token", secret: TOKEN },
    edgeKey: EDGE_KEY,
    generation: 1,
    isBehindKill: false,
    journalPath: join(dir, "journal.db"),
    isDurable: false,
    configPath: join(dir, "config.json5"),
    logFile: join(dir, "gateway.log"),
    modules: [],
    ...options.settings,
  };
  const wall = options.wall ?? (() => NOW);
  const logged: string[] = [];
  const restarts: string[] = [];
  const told: GatewayToSupervisor[] = [];
  const modules = modulesOf(
    settings,
    (message) => told.push(message),
    (line) => logged.push(line),
  );
  await modules.start();
  const gateway = new Gateway({
    settings,
    modules,
    clock: { now: () => performance.now(), wall },
    process: { pid: 1, rssBytes: options.rssBytes ?? (() => 1) },
    log: (line) => logged.push(line),
    requestRestart: (reason) => restarts.push(reason),
    onUnusable:
      options.onUnusable ??
      ((error) => {
        throw error;
      }),
  });
  await gateway.listen();
  t.after(async () => {
    t.mock.timers.reset();
    gateway.close();
    await rm(dir, { recursive: true, force: true });
  });

  /** A client as the edge would let it in; without the key, as anybody else would come. */
  let links = 0;
  const open = (headers: Record<string, string> = { "X-Clawkit-Edge": EDGE_KEY }) =>
    new RawGatewayClient("ws://gateway", {
      headers: { "X-Clawkit-Link": `link-${++links}`, "X-Clawkit-Position": "0 0 0", ...headers },
      createConnection: (() => net.connect(socketPath)) as typeof net.createConnection,
    });
  const connected = async (scopes = ["operator.admin"]) => {
    const client = open();
    const response = await client.connect({ auth: { token: TOKEN }, scopes });
    assert.equal(response.ok, true);
    return client;
  };
  /** As the edge says which links it holds. */
  const holdOnly = (held: readonly string[], closed: readonly string[] = []) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { "X-Clawkit-Edge": EDGE_KEY };
      const request = http.request(
        { socketPath, path: "/__clawkit__/links", method: "PUT", headers },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      request.on("error", reject);
      request.end(JSON.stringify({ held, closed }));
    });
  return { folder: dir, gateway, settings, wall, logged, restarts, told, open, connected, holdOnly };
}
