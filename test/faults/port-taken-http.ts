import { program } from "../helpers/clawkit.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "port-taken-http",
  title: "a web server has taken the port of a gateway that was stopped",
  on: "clawkit",
  expected: ["port-conflict"],
  // whoever it is may have more right to the port: it is named, and never ended
  isFixable: false,
  async break(lab) {
    const { port } = await lab.runAndStop();
    await lab.serve(program("http-app"), port);
  },
};
