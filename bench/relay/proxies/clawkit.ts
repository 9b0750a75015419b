import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProxyEntry } from "./proxy.ts";
import { runServer } from "./run-server.ts";

const root = join(import.meta.dirname, "../../..");
const entry = join(root, "src/bin/edge-alone.ts");
/** Another program in ClawKit's place, split at spaces; gets the same `--port P --upstream ws://…`. */
const override = process.env.CLAWKIT_BENCH_COMMAND?.split(" ").filter(Boolean);

/** ClawKit's relay without the gateway it usually supervises. */
export const clawkit: ProxyEntry = {
  name: "clawkit",
  title: "ClawKit",
  isPeer: false,
  version() {
    if (override) return { text: `replaced by "${override.join(" ")}"` };
    if (!existsSync(entry)) return { missing: `clawkit has no ${entry} (or set CLAWKIT_BENCH_COMMAND)` };
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    return { text: version };
  },
  start: (port, backendPort, signal) =>
    runServer({ name: "clawkit", port, signal, readyLine: "listening" }, () => {
      const [command = "", ...args] = override ?? [process.execPath, entry];
      return {
        command,
        args: [...args, "--port", String(port), "--upstream", `ws://127.0.0.1:${backendPort}`],
      };
    }),
};
