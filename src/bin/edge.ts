import { statePaths } from "../config/paths.ts";
import type { CauseId } from "../core/causes.ts";
import { messageOf, systemErrorCode } from "../core/errors.ts";
import { type EdgeToSupervisor, isOurMessage, type SupervisorToEdge, versioned } from "../core/messages.ts";
import { Edge } from "../edge/edge.ts";
import { hostFor } from "../host/index.ts";
import type { Recorder } from "../recorder/recorder.ts";
import { keptTimers } from "./kept-timers.ts";
import { realClock, sendSignal, surviveLostOutput } from "./real.ts";
import { startRecorder } from "./recording.ts";

/** Time over which an edge that ends unasked tells its clients; without a supervisor all must be gone within 5 s. */
const LEAVE_SPREAD_MS = 500;

/** A gateway that ignores SIGTERM is killed this long after its supervisor died. */
const ORPHAN_GATEWAY_GRACE_MS = 2_000;

let edge: Edge | undefined;
let recorder: Recorder | undefined;
let gatewayPid: number | undefined;
let isLeaving = false;
/** Resolves when the orphaned gateway had its chance to end by itself. */
let gatewayEnds: Promise<void> = Promise.resolve();
const handles: object[] = [];

function send(message: EdgeToSupervisor): void {
  if (process.connected) process.send!(versioned(message), undefined, undefined, () => undefined);
}

process.title = "clawkit edge"; // what lsof shows
surviveLostOutput();
process.on("message", (message: unknown, handle: unknown) => {
  if (!isOurMessage(message)) return;
  void onMessage(message as unknown as SupervisorToEdge, handle);
});
// a bug must cost the clients a 1012, not a 1006
process.on("uncaughtException", (error) => {
  console.error(`bug in the edge: ${error.stack ?? messageOf(error)}`);
  process.exitCode = 70;
  void leave("gateway's edge restarting (internal error), reconnect now", "edge-ended");
});
process.on("disconnect", () => void leaveOrphaned());
process.on("SIGTERM", () => void leave("gateway restarting, reconnect now", "planned-restart"));
process.on("SIGINT", () => undefined); // the supervisor decides
send({ type: "loaded" });

async function onMessage(message: SupervisorToEdge, handle: unknown): Promise<void> {
  switch (message.type) {
    case "socket": {
      handles.push(handle as object);
      if (!message.isLast) return;
      try {
        const edgeId = Date.now().toString(36);
        const { stateDir } = message.settings.recorder;
        const records = startRecorder(message.settings.recorder, edgeId, {
          log: (text) => console.log(text),
          onIncident: ({ change, incident }) => send({ type: "incident", change, incident }),
        });
        recorder = records;
        edge = new Edge({
          settings: message.settings,
          edgeId,
          stateDir,
          memory: () => process.memoryUsage(),
          record: (event) => records.record(event),
          recorderStats: () => records.stats,
          ...keptTimers(statePaths(stateDir).networkTimers),
          clock: realClock,
          host: hostFor(process.platform),
          log: (line) => console.log(line),
          random: Math.random,
          onGatewayState: (generation, state) => send({ type: "gateway-state", generation, state }),
          onControlWanted: () => send({ type: "control-wanted" }),
          onRestartNeeded: (generation, why) => send({ type: "restart-gateway", generation, why }),
        });
        await edge.listen(handles);
        send({ type: "listening" });
      } catch (error) {
        const code = systemErrorCode(error);
        send({ type: "listen-failed", message: messageOf(error), ...(code === undefined ? {} : { code }) });
      }
      return;
    }
    case "gateway-started":
      gatewayPid = message.run.pid;
      edge?.gatewayStarted(message.run);
      return;
    case "gateway-ended":
      gatewayPid = undefined;
      edge?.gatewayEnded(message.generation, message.end, message.after);
      return;
    case "drain":
      if (message.scope === "all") await edge?.drainAll(message);
      else await edge?.drainGateway(message);
      send({ type: "drained" });
      return;
    case "upstream-trust":
      edge?.upstreamTrusts(message.trustsEdge);
      return;
    case "runs-changed":
      recorder?.record({ type: "runs-changed", at: Date.now() });
      return;
    case "ask":
      if (edge !== undefined) send({ type: "answer", id: message.id, answer: edge.answer(message.question) });
      return;
    case "control-listening":
      edge?.controlListening(message.path);
      return;
    case "control-ended":
      edge?.controlEnded(message.why);
      return;
    case "inspect":
      if (edge !== undefined) send({ type: "inspection", id: message.id, inspection: edge.inspect() });
      return;
  }
}

/** The supervisor is gone: nobody will restart anything, so clients are told and the gateway is ended too. */
async function leaveOrphaned(): Promise<void> {
  if (gatewayPid !== undefined) {
    const target = -gatewayPid;
    sendSignal(target, "SIGTERM");
    gatewayEnds = new Promise((resolve) => {
      setTimeout(() => {
        sendSignal(target, "SIGKILL");
        resolve();
      }, ORPHAN_GATEWAY_GRACE_MS);
    });
  }
  console.log("the supervisor is gone: telling the clients and leaving");
  await leave("gateway supervisor ended, reconnect when it is back", "edge-ended");
}

/** Tells the clients and ends. The first reason counts. */
async function leave(reason: string, cause: CauseId): Promise<void> {
  if (isLeaving) return;
  isLeaving = true;
  await edge?.drainAll({ reason, spreadMs: LEAVE_SPREAD_MS, isStop: false }, cause);
  edge?.stop();
  await recorder?.close();
  await gatewayEnds;
  process.exit();
}
