// An edge by itself in front of $UPSTREAM on 127.0.0.1:$PORT, with the flight recorder in $STATE, or without one if
// that is empty. Ends when its stdin closes.
import { randomUUID } from "node:crypto";
import { realClock } from "../../src/bin/real.ts";
import { startRecorder } from "../../src/bin/recording.ts";
import { defaultConfig } from "../../src/config/parse.ts";
import { Edge } from "../../src/edge/edge.ts";
import { hostFor } from "../../src/host/index.ts";
import { edgeSettings } from "../../src/supervisor/edge-settings.ts";

const port = Number(process.env.PORT);
const stateDir = process.env.STATE ?? "";
const edgeId = randomUUID().slice(0, 8);
const settings = { ...edgeSettings(defaultConfig(), stateDir, false), port };
const log = (line: string) => console.log(line);
const recorder =
  stateDir === "" ? undefined : startRecorder(settings.recorder, edgeId, { log, onIncident: () => {} });

const edge = new Edge({
  settings,
  clock: realClock,
  host: hostFor(process.platform),
  log,
  random: Math.random,
  edgeId,
  stateDir: stateDir === "" ? "/" : stateDir,
  memory: () => process.memoryUsage(),
  record: (event) => recorder?.record(event),
  recorderStats: () => recorder?.stats ?? { queued: 0, written: 0, dropped: 0 },
  onGatewayState: () => {},
  onControlWanted: () => {},
  learnedTimers: [],
  keepTimers: () => undefined,
  onRestartNeeded: () => {},
});
await edge.listen([{ host: "127.0.0.1", port }]);
edge.gatewayStarted({ generation: 1, address: { kind: "url", url: process.env.UPSTREAM ?? "" } });
process.on("SIGUSR2", () => console.log(`recorder ${JSON.stringify(recorder?.stats ?? null)}`));
process.stdin.resume().on("end", () => process.exit());
