import { messageOf, systemErrorCode } from "../core/errors.ts";
import { type EdgeToSupervisor, isOurMessage, type SupervisorToEdge, versioned } from "../core/messages.ts";
import { Edge } from "../edge/edge.ts";
import { hostFor } from "../host/index.ts";
import { realClock, sendSignal } from "./real.ts";

/** Time an edge without a supervisor has to tell its clients; children must be gone within 5 s. */
const ORPHAN_SPREAD_MS = 500;

/** A gateway that ignores SIGTERM is killed this long after its supervisor died. */
const ORPHAN_GATEWAY_GRACE_MS = 2_000;

let edge: Edge | undefined;
let gatewayPid: number | undefined;
let isLeaving = false;
const handles: object[] = [];

function send(message: EdgeToSupervisor): void {
  if (process.connected) process.send!(versioned(message), undefined, undefined, () => undefined);
}

process.on("message", (message: unknown, handle: unknown) => {
  if (!isOurMessage(message)) return;
  void onMessage(message as unknown as SupervisorToEdge, handle);
});
process.on("disconnect", () => void leaveOrphaned());
process.on("SIGTERM", () => void leave("gateway restarting, reconnect now"));
process.on("SIGINT", () => undefined); // the supervisor decides

async function onMessage(message: SupervisorToEdge, handle: unknown): Promise<void> {
  switch (message.type) {
    case "socket": {
      handles.push(handle as object);
      if (!message.isLast) return;
      edge = new Edge({
        settings: message.settings,
        clock: realClock,
        host: hostFor(process.platform),
        log: (line) => console.log(line),
        random: Math.random,
        onGatewayState: (generation, state) => send({ type: "gateway-state", generation, state }),
        onRestartNeeded: (generation, why) => send({ type: "restart-gateway", generation, why }),
      });
      try {
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
      if (message.scope === "all") await edge?.drainAll(message.reason, message.spreadMs);
      else await edge?.drainLinks(message.reason, message.spreadMs);
      send({ type: "drained" });
      return;
    case "inspect":
      if (edge !== undefined) send({ type: "inspection", id: message.id, inspection: edge.inspect() });
      return;
  }
}

/** The supervisor is gone: nobody will restart anything, so clients are told and the gateway is ended too. */
async function leaveOrphaned(): Promise<void> {
  if (isLeaving) return;
  console.log("the supervisor is gone: telling the clients and leaving");
  if (gatewayPid !== undefined) {
    const target = -gatewayPid;
    sendSignal(target, "SIGTERM");
    setTimeout(() => sendSignal(target, "SIGKILL"), ORPHAN_GATEWAY_GRACE_MS);
    setTimeout(() => process.exit(0), ORPHAN_GATEWAY_GRACE_MS + 1_000);
  }
  await leave("gateway supervisor ended, reconnect when it is back");
}

async function leave(reason: string): Promise<void> {
  if (isLeaving) return;
  isLeaving = true;
  await edge?.drainAll(reason, ORPHAN_SPREAD_MS);
  edge?.stop();
  if (process.connected || gatewayPid === undefined) process.exit(0);
}
