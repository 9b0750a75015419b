import { program } from "../helpers/clawkit.ts";
import type { OpenclawFault } from "./fault.ts";
import { endAllWith } from "./lab.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

export const fault: OpenclawFault = {
  id: "openclaw-port-taken",
  title: "while the gateway was away a web server took its port, and a start failed for it",
  on: "openclaw",
  expected: ["port-conflict"],
  isFixable: false,
  needs: whyNoOpenclaw,
  async break(lab) {
    await lab.run();
    await endAllWith("HOME", lab.home);
    await lab.serve(program("http-app"), lab.port, { HOME: "/" });
    await lab.startInVain();
  },
};
