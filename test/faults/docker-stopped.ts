import { whyNoDocker } from "./docker-lab.ts";
import type { DockerFault } from "./fault.ts";

export const fault: DockerFault = {
  id: "docker-stopped",
  title: "docker stop",
  on: "docker",
  expected: ["planned-stop"],
  isFixable: true,
  needs: whyNoDocker,
  async break(lab) {
    await lab.docker("stop", await lab.runGateway());
  },
};
