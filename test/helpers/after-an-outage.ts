import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunClawkit } from "../../src/control/deps.ts";
import type { ConnectionEnd, Sample } from "../../src/core/records.ts";
import type { IncidentRow } from "../../src/recorder/store.ts";
import { ControlRig } from "./control-rig.ts";

export const NOW = Date.parse("2026-11-22T10:00:00Z");

const END: ConnectionEnd = {
  at: NOW - 60_000,
  by: "gateway",
  code: 1012,
  reason: "gateway restarting",
  phase: "open",
  cause: "gateway-ended",
  bytesIn: 1,
  bytesOut: 2,
  framesIn: 1,
  framesOut: 1,
  lastActivityAt: NOW - 61_000,
  rttMs: 3,
};

export const INCIDENT: IncidentRow = {
  id: "i-1",
  kind: "outage",
  role: "gateway",
  openedAt: NOW - 60_000,
  closedAt: NOW - 58_800,
  cause: "killed-by-signal",
  verdict: "confirmed",
  summary: "it was killed by SIGKILL",
  noticedBy: "supervisor",
  evidence: [],
  unknown: [],
  generation: 1,
  ends: 1,
  crash: null,
};

export function sampleAt(at: number, loopP99Ms: number): Sample {
  return {
    at,
    connections: 5,
    held: 0,
    rssBytes: 1,
    heapBytes: 1,
    loopP50Ms: 1,
    loopP99Ms,
    rttP50Ms: null,
    rttP99Ms: null,
    gatewayRssBytes: null,
    memoryAvailableBytes: null,
    diskFreeBytes: null,
  };
}

/** A gateway that was away for 1.2 s a minute ago, which cost one client its connection. */
export async function afterAnOutage(clawkit?: RunClawkit): Promise<ControlRig> {
  const rig = await ControlRig.start(clawkit === undefined ? {} : { clawkit });
  const { store } = rig;
  store.openConnection({ id: "e-9", openedAt: NOW - 90_000, address: "192.0.2.7", origin: null, path: "/" });
  store.closeConnection("e-9", END, "i-1");
  store.saveIncident(INCIDENT);
  store.addNote({ at: NOW - 70_000, kind: "memory-low", text: "memory is low" });
  await mkdir(join(rig.stateDir, "logs"));
  const line = (ms: number, stream: string, text: string) =>
    `${new Date(NOW - ms).toISOString()} ${stream} ${text}\n`;
  const log =
    line(3_600_000, "out", "long ago") + line(60_001, "err", "last words") + line(60_000, "end", "ended");
  await writeFile(join(rig.stateDir, "logs", "gateway.log"), log);
  return rig;
}
