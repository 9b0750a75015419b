import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProxyEntry } from "./proxy.ts";
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
  start: (port, backendPort, signal) =>
    runServer(
      { name: "clawkit", port, signal, readyLine: override ? "listening" : "gateway ready" },
      (folder) => {
        const url = `ws://127.0.0.1:${backendPort}`;
        if (override) {
          const [command = "", ...args] = override;
          return { command, args: [...args, "--port", String(port), "--upstream", url] };
        }
        const config = { gateway: { port, upstream: { type: "url", url } } };
        writeFileSync(join(folder, "config.json5"), JSON.stringify(config), { mode: 0o600 });
        return {
          command: "env",
          args: [
            `CLAWKIT_STATE_DIR=${folder}`,
            process.execPath,
            join(root, "src/bin/clawkit.ts"),
            "gateway",
            "run",
          ],
        };
      },
    ),
};
