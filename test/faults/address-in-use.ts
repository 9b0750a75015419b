import { freePort, program } from "../helpers/clawkit.ts";
import type { ClawkitFault } from "./fault.ts";
import { faulty } from "./programs/index.ts";

export const fault: ClawkitFault = {
  id: "address-in-use",
  title: "the command listens on a port that another program has",
  on: "clawkit",
  expected: ["port-conflict"],
  isFixable: false,
  async break(lab) {
    const port = await freePort();
    await lab.serve(program("http-app"), port);
    await lab.loop(faulty("fails", ["listen", String(port)]));
  },
};
