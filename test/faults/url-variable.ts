import { freePort } from "../helpers/clawkit.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "url-variable",
  title: "OPENCLAW_GATEWAY_URL sends clients to a port on which nobody listens",
  on: "clawkit",
  expected: ["wrong-url-or-port"],
  // a variable of the caller's shell
  isFixable: false,
  async break(lab) {
    await lab.run();
    return { env: { OPENCLAW_GATEWAY_URL: `ws://127.0.0.1:${await freePort()}` } };
  },
};
