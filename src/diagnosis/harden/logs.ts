import { statfs } from "node:fs/promises";
import type { Config } from "../../config/schema.ts";
import type { Advice, Own } from "./types.ts";

/** All logs together, with their rotated files and the recorder's store, should leave most of the disk alone. */
const MAX_SHARE = 0.1;

/** Of gateway, edge and supervisor. */
const LOGS = 3;

/** A log of gigabytes is one that the doctor takes for trouble. */
const MAX_LOG_MB = 1000;

/** What the schema allows at the least. */
const MIN_LOG_MB = 0.1;
const MIN_RECORDER_MB = 1;

const MB = 2 ** 20;

export async function logAdvice({ config, machine, set }: Own): Promise<Advice> {
  const { blocks, bsize } = await statfs(machine.paths.stateDir);
  const diskMb = (blocks * bsize) / MB;
  const most = mostMb(config);
  const base = {
    id: "log-bounds",
    title: "Logs and records cannot fill the disk",
    reason: "a full disk ends gateways (#95902), and a log of gigabytes makes its readers fail (#25818)",
    current: `at most ${Math.round(most)} MB, ${((most / diskMb) * 100).toFixed(1)} % of the disk`,
  };
  if (most <= diskMb * MAX_SHARE && config.logs.maxMb <= MAX_LOG_MB) return { ...base, state: "ok" };
  const values = boundsFor(config, diskMb * MAX_SHARE);
  // a smaller store forgets what it holds beyond it
  const risk = "recorder.maxMb" in values ? "disruptive" : "safe";
  return { ...base, state: "change", plan: set(values, { risk }) };
}

function mostMb({ logs, recorder }: Config): number {
  return logs.maxMb * (logs.keep + 1) * LOGS + recorder.maxMb;
}

/** Bounds with which all fits into `roomMb`; the store keeps what it has if it takes half of it at most. */
function boundsFor({ logs, recorder }: Config, roomMb: number): Record<string, string> {
  const recorderMb = Math.min(recorder.maxMb, Math.max(MIN_RECORDER_MB, Math.floor(roomMb / 2)));
  const logMb = (roomMb - recorderMb) / (LOGS * (logs.keep + 1));
  const maxMb = Math.min(logs.maxMb, MAX_LOG_MB, Math.max(MIN_LOG_MB, Math.floor(logMb * 10) / 10));
  return {
    ...(maxMb < logs.maxMb ? { "logs.maxMb": String(maxMb) } : {}),
    ...(recorderMb < recorder.maxMb ? { "recorder.maxMb": String(recorderMb) } : {}),
  };
}
