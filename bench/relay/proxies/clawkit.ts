import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProxyEntry } from "./proxy.ts";
import { runClawkit } from "./run-clawkit.ts";
import { runServer } from "./run-server.ts";

const root = join(import.meta.dirname, "../../..");
/** Another program in ClawKit's place, split at spaces; gets `--port P --upstream ws://…`. */
const override = process.env.CLAWKIT_BENCH_COMMAND?.split(" ").filter(Boolean);

/** ClawKit as a user runs it, supervisor and edge, in front of a gateway that it does not supervise. */
export const clawkit: ProxyEntry = {
  name: "clawkit",
  title: "ClawKit",
  isPeer: false,
  version() {
    if (override) return { text: `replaced by "${override.join(" ")}"` };
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    return { text: version };
  },
  start(port, backendPort, signal) {
    if (!override) return runClawkit({ port, backendPort }, signal);
    const [command = "", ...args] = override;
    return runServer({ name: "clawkit", port, signal, readyLine: "listening" }, () => {
      const url = `ws://127.0.0.1:${backendPort}`;
      return { command, args: [...args, "--port", String(port), "--upstream", url] };
    });
  },
};
