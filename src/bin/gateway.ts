import { getHeapStatistics } from "node:v8";
import { messageOf } from "../core/errors.ts";
import {
  type GatewayToSupervisor,
  isOurMessage,
  type SupervisorToGateway,
  versioned,
} from "../core/messages.ts";
import { Gateway } from "../gateway/gateway.ts";
import { realClock, surviveLostOutput } from "./real.ts";

const MEMORY_MS = 5_000;

let gateway: Gateway | undefined;
let isLeaving = false;

function send(message: GatewayToSupervisor, then = () => {}): void {
  if (process.connected) process.send!(versioned(message), undefined, undefined, then);
  else then();
}

function sendMemory(): void {
  const { used_heap_size: heapUsedBytes, heap_size_limit: heapLimitBytes } = getHeapStatistics();
  send({ type: "memory", heapUsedBytes, heapLimitBytes });
}

function leave(): void {
  if (isLeaving) return;
  isLeaving = true;
  gateway?.close();
  send({ type: "released" }, () => process.exit(0));
}

surviveLostOutput();
// only told: Node ends the process as ever. Its own last words do not say which of the two it was.
process.on("uncaughtExceptionMonitor", (_error, origin) => {
  if (origin === "unhandledRejection") console.error("unhandled promise rejection:");
});
process.on("message", (message: unknown) => {
  if (isOurMessage(message)) void onMessage(message as unknown as SupervisorToGateway);
});
process.on("disconnect", leave); // nobody is left who would start us again
process.on("SIGTERM", leave);
process.on("SIGINT", () => undefined); // the supervisor decides
send({ type: "prepared" });

async function onMessage(message: SupervisorToGateway): Promise<void> {
  switch (message.type) {
    case "start":
      try {
        gateway = new Gateway({
          settings: message.settings,
          clock: realClock,
          process: { pid: process.pid, rssBytes: () => process.memoryUsage.rss() },
          log: (line) => console.log(line),
          requestRestart: (reason) => send({ type: "restart-requested", reason }),
          onUnusable: (error) => {
            console.error(messageOf(error));
            process.exit(1);
          },
        });
        await gateway.listen();
        console.log(`gateway ready: generation ${message.settings.generation}`);
      } catch (error) {
        console.error(`Cannot start the gateway: ${messageOf(error)}`);
        process.exit(1);
      }
      send({ type: "listening" });
      setInterval(sendMemory, MEMORY_MS).unref();
      return;
    case "stop":
      leave();
      return;
    case "announce-shutdown":
      gateway?.announceShutdown(message.reason, message.restartExpectedMs);
      send({ type: "shutdown-announced" });
      return;
  }
}
