import { getHeapStatistics } from "node:v8";
import { messageOf } from "../core/errors.ts";
import {
  type GatewayToSupervisor,
  isOurMessage,
  type ModuleSettings,
  type SupervisorToGateway,
  versioned,
} from "../core/messages.ts";
import { Gateway } from "../gateway/gateway.ts";
import type { Modules } from "../gateway/modules/modules.ts";
import { modulesOf } from "./gateway-modules.ts";
import { realClock, surviveLostOutput } from "./real.ts";

const MEMORY_MS = 5_000;

let modules: Modules | undefined;
let loaded: Promise<void> | undefined;
let gateway: Gateway | undefined;
let isPrepared = false;
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
  modules?.close();
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

/** Once, whoever asks first: a supervisor of an earlier version only says `start`. */
async function loadModules(settings: ModuleSettings): Promise<Modules> {
  modules ??= modulesOf(settings, send);
  loaded ??= modules.start();
  await loaded;
  return modules;
}

async function onMessage(message: SupervisorToGateway): Promise<void> {
  switch (message.type) {
    case "prepare":
      await loadModules(message.settings);
      isPrepared = true;
      send({ type: "prepared" });
      return;
    case "start":
      try {
        const loadedBefore = isPrepared;
        const modules = await loadModules(message.settings);
        if (loadedBefore) await modules.retry();
        if (isLeaving) return;
        gateway = new Gateway({
          settings: message.settings,
          modules,
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
