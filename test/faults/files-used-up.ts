import { program, until } from "../helpers/clawkit.ts";
import { openFiles } from "../helpers/usage.ts";
import type { ClawkitFault } from "./fault.ts";

/** Node itself takes about 25. */
const LIMIT = 48;

export const fault: ClawkitFault = {
  id: "files-used-up",
  title: "the gateway has as many connections as it may have open files",
  on: "clawkit",
  expected: ["files-used-up"],
  // a new one has the same limit, and the same clients come back to it
  isFixable: false,
  async break(lab) {
    const command = ["sh", "-c", `ulimit -n ${LIMIT} && exec "$@"`, "gateway", ...program("echo")];
    const clawkit = await lab.run({
      gateway: { upstream: { type: "command", command } },
      supervisor: { hangRestartSec: 600 },
    });
    const { pid } = (await clawkit.status()).gateway;
    lab.connect(LIMIT);
    await until(async () => (await openFiles(pid!)) >= LIMIT - 1 || undefined);
    await clawkit.untilStatus(({ state }) => state === "unhealthy");
  },
};
