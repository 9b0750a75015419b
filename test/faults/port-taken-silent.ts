import type { ClawkitFault } from "./fault.ts";
import { faulty } from "./programs/index.ts";

export const fault: ClawkitFault = {
  id: "port-taken-silent",
  title: "a server that says nothing has taken the port of a gateway that was stopped",
  on: "clawkit",
  expected: ["port-conflict"],
  isFixable: false,
  async break(lab) {
    const { port } = await lab.runAndStop();
    await lab.serve(faulty("silent"), port);
  },
};
