import { freePort } from "../helpers/clawkit.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "wrong-port",
  title: "the client is pointed at a port on which nobody listens",
  on: "clawkit",
  expected: ["wrong-url-or-port"],
  isFixable: false,
  async break(lab) {
    await lab.run();
    return { args: ["--url", `ws://127.0.0.1:${await freePort()}`] };
  },
};
