import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import type { AddressInfo } from "node:net";
import os from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { WebSocketServer } from "ws";
import { realClock } from "../../src/bin/real.ts";
import { defaultConfig } from "../../src/config/parse.ts";
import type { RecorderEvent } from "../../src/core/records.ts";
import { Edge } from "../../src/edge/edge.ts";
import { hostFor } from "../../src/host/index.ts";
import { edgeSettings } from "../../src/supervisor/edge-settings.ts";
import { freePort, sleep, until } from "../helpers/clawkit.ts";
import { openClients } from "../helpers/clients.ts";

const CLIENTS = 60;

/** What is promised, and two timers of a second: one sees the jump, one pings. */
const LOOKED_MS = 5_000 + 2_000;

// no machine can be put to sleep here: of its clocks the one that goes on in its sleep is set forward
test("when the machine wakes, all clients are looked at within 5 s, spread", async (t) => {
  const stateDir = await mkdtemp(join(os.tmpdir(), "clawkit-wakes-"));
  t.after(() => rm(stateDir, { recursive: true }));
  const { uptime } = os;
  let sleptSec = 0;
  t.mock.method(os, "uptime", () => uptime() + sleptSec);
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  const gateway = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(gateway, "listening");
  t.after(() => gateway.close());
  const events: RecorderEvent[] = [];
  const port = await freePort();
  const edge = new Edge({
    settings: { ...edgeSettings(defaultConfig(), stateDir, false), port },
    clock: realClock,
    host: hostFor(process.platform),
    log: () => undefined,
    random: Math.random,
    edgeId: "wakes",
    stateDir,
    memory: () => process.memoryUsage(),
    record: (event) => events.push(event),
    recorderStats: () => ({ queued: 0, written: 0, dropped: 0 }),
    learnedTimers: [],
    keepTimers: () => undefined,
    onGatewayState: () => undefined,
    onControlWanted: () => undefined,
    onRestartNeeded: () => undefined,
  });
  t.after(() => edge.stop());
  await edge.listen([{ host: "127.0.0.1", port }]);
  const url = `ws://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
  edge.gatewayStarted({ generation: 1, address: { kind: "url", url } });
  const clients = await openClients(CLIENTS, `ws://127.0.0.1:${port}`);
  const pinged: number[] = [];
  for (const { socket } of clients) socket.once("ping", () => pinged.push(performance.now()));
  await sleep(1_500); // both timers have seen the clocks as they were

  sleptSec = 600;
  const wokeAt = performance.now();
  await until(() => pinged.length === CLIENTS, LOOKED_MS);

  const notes = events.flatMap((event) => (event.type === "note" ? [event.note.text] : []));
  assert.deepEqual(notes, ["the machine slept for 600 s"]);
  const perSecond = new Map<number, number>();
  for (const at of pinged) {
    const second = Math.floor((at - wokeAt) / 1_000);
    perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
  }
  t.diagnostic(`pinged in each second: ${[...perSecond].map(([second, n]) => `${second}: ${n}`).join(", ")}`);
  assert.ok(perSecond.size >= 4 && Math.max(...perSecond.values()) < CLIENTS / 2);
  for (const { socket } of clients) socket.terminate();
});
