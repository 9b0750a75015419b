import { Worker } from "node:worker_threads";
import { statePaths } from "../config/paths.ts";
import { messageOf } from "../core/errors.ts";
import type { EdgeSettings } from "../core/messages.ts";
import { Recorder, type RecorderDeps } from "../recorder/recorder.ts";
import type { FromThread, RecorderOptions } from "../recorder/recorder-thread.ts";
import { entryPath } from "./entries.ts";

/** Connection rows the flight recorder keeps at most, whatever they weigh. */
const MAX_CONNECTIONS = 2_000_000;

const BYTES_PER_MB = 1024 * 1024;
const MS_PER_DAY = 24 * 60 * 60 * 1000;

/** Starts the flight recorder in a thread of its own: a slow disk must not slow a single frame. */
export function startRecorder(
  settings: EdgeSettings["recorder"],
  edgeId: string,
  deps: Pick<RecorderDeps, "log" | "onIncident">,
): Recorder {
  const { stateDir, maxMb, maxDays } = settings;
  const paths = statePaths(stateDir);
  const workerData: RecorderOptions = {
    storePath: paths.recorder,
    runLogPath: paths.runLog,
    edgeId,
    bounds: {
      maxBytes: maxMb * BYTES_PER_MB,
      maxAgeMs: maxDays * MS_PER_DAY,
      maxConnections: MAX_CONNECTIONS,
    },
  };
  const thread = new Worker(entryPath("recorder"), { workerData });
  thread.unref();
  // the gateway matters more than its records
  thread.on("error", (error) => deps.log(`the flight recorder ended: ${messageOf(error)}`));
  return new Recorder({
    ...deps,
    post: (message) => thread.postMessage(message),
    onMessage: (listener) => thread.on("message", (message: FromThread) => listener(message)),
  });
}
