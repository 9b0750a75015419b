import { homedir } from "node:os";
import type { CliContext } from "../cli/context.ts";
import { Output } from "../cli/output/output.ts";
import { hostFor } from "../host/index.ts";
import { startDetached } from "../supervisor/detach.ts";
import { entryPath } from "./entries.ts";
import { realClock, sendSignal } from "./real.ts";
import { ownPaths } from "./run-supervisor.ts";

/** Fills the command line's needs from this process. */
export function createContext(name: "clawkit" | "openclaw"): CliContext {
  const { paths, controlPath } = ownPaths();
  const host = hostFor(process.platform);
  const out = new Output(process.stdout, process.stderr);
  const interrupt = new AbortController();
  process.once("SIGINT", () => interrupt.abort());
  return {
    name,
    env: process.env,
    platform: process.platform,
    home: homedir(),
    paths,
    controlPath,
    host,
    clock: realClock,
    out,
    interrupted: interrupt.signal,
    runSupervisor: async () => {
      const { runSupervisor } = await import("./run-supervisor.ts");
      await runSupervisor({ echo: true });
      return 0;
    },
    startSupervisor: () =>
      startDetached({ node: process.execPath, args: [entryPath("supervisor")], env: process.env }),
    endLeftovers: async () => {
      const { endLeftovers } = await import("../supervisor/leftovers.ts");
      const { RunLog } = await import("../supervisor/run-log.ts");
      const records = await new RunLog(paths.runLog).read();
      await endLeftovers(records, { host, sendSignal, log: (text) => out.progress(text) });
    },
    runDemo: async (progress) => {
      const { runDemo } = await import("./demo.ts");
      return await runDemo({ progress, interrupted: interrupt.signal });
    },
    aliasTarget: { node: process.execPath, entry: entryPath("openclaw") },
  };
}
