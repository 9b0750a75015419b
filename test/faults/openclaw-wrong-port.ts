import { freePort } from "../helpers/clawkit.ts";
import type { OpenclawFault } from "./fault.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

export const fault: OpenclawFault = {
  id: "openclaw-wrong-port",
  title: "the client is pointed at a port on which nobody listens",
  on: "openclaw",
  expected: ["wrong-url-or-port"],
  isFixable: false,
  needs: whyNoOpenclaw,
  async break(lab) {
    await lab.run();
    return { args: ["--url", `ws://127.0.0.1:${await freePort()}`] };
  },
};
