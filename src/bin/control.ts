import { ControlServer } from "../control/server.ts";
import {
  type ControlToSupervisor,
  isOurMessage,
  type SupervisorToControl,
  versioned,
} from "../core/messages.ts";
import { createContext } from "./cli-context.ts";
import { controlDeps } from "./control-deps.ts";
import { surviveLostOutput } from "./real.ts";

/** Nobody has asked for anything for so long: memory is worth more than a second's start. */
const IDLE_MS = 10 * 60_000;

let server: ControlServer | undefined;

function send(message: ControlToSupervisor): void {
  if (process.connected) process.send!(versioned(message), undefined, undefined, () => undefined);
}

function leave(): never {
  server?.stop();
  process.exit(0);
}

process.title = "clawkit control";
surviveLostOutput();
process.on("message", (message: unknown) => {
  if (isOurMessage(message)) void onMessage(message as unknown as SupervisorToControl);
});
process.on("disconnect", leave); // without a supervisor there is no edge to serve it
process.on("SIGTERM", leave);

async function onMessage(message: SupervisorToControl): Promise<void> {
  switch (message.type) {
    case "start": {
      const { socketPath, ...front } = message.settings;
      const deps = controlDeps(createContext("clawkit"), { mode: "edge", log: (text) => console.log(text) });
      process.removeAllListeners("SIGINT"); // the supervisor decides
      process.on("SIGINT", () => undefined);
      server = new ControlServer(deps, {
        front: { ...front, isBehindEdge: true },
        idle: { afterMs: IDLE_MS, onIdle: () => send({ type: "idle" }) },
      });
      await server.listenLocally(socketPath);
      send({ type: "listening" });
      return;
    }
    case "issue-code":
      if (server !== undefined) send({ type: "code", id: message.id, code: server.issueCode() });
      return;
  }
}
