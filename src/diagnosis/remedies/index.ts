import { correctClientUrl, excludeLoopback } from "./clients.ts";
import { restartContainer, setRestartPolicy, startContainer } from "./docker.ts";
import { composeBind, composeCliNetwork, composePublish, composeRestart } from "./docker-compose.ts";
import { pruneMovedLogs } from "./moved-logs.ts";
import {
  moveStaleLock,
  removeUnknownKey,
  restoreOpenClawConfig,
  setOpenClawMode,
  startOpenClaw,
} from "./openclaw.ts";
import { raiseHeap, restartOwn, restoreOwnConfig, startOwn } from "./own.ts";
import { continueStopped, endLeftovers, endWedged } from "./processes.ts";
import { excludeServiceLoopback } from "./service-proxy.ts";
import { enableLinger, freeStartLimit, moveLargeLog, openFolder, startService } from "./system.ts";
import type { Repair } from "./types.ts";

/** In the order in which they are thought of: what stands in the way goes first, a start comes last. */
export const allRepairs: readonly Repair[] = [
  restoreOwnConfig,
  removeUnknownKey,
  restoreOpenClawConfig,
  setOpenClawMode,
  moveStaleLock,
  openFolder,
  moveLargeLog,
  pruneMovedLogs,
  endLeftovers,
  continueStopped,
  endWedged,
  freeStartLimit,
  enableLinger,
  startService,
  composeRestart,
  setRestartPolicy,
  composePublish,
  composeBind,
  composeCliNetwork,
  restartContainer,
  startContainer,
  raiseHeap,
  correctClientUrl,
  excludeLoopback,
  excludeServiceLoopback,
  restartOwn,
  startOwn,
  startOpenClaw,
];
