import { parentPort, workerData } from "node:worker_threads";
import { type RecorderOptions, RecorderThread } from "../recorder/recorder-thread.ts";

// a thread of the edge
new RecorderThread(parentPort!, workerData as RecorderOptions, () => Date.now());
