import { whyNoDocker } from "./docker-lab.ts";
import type { DockerFault } from "./fault.ts";

export const fault: DockerFault = {
  id: "docker-not-published",
  title: "the compose file publishes no port",
  on: "docker",
  expected: ["docker-port-not-published"],
  isFixable: true,
  needs: whyNoDocker,
  async break(lab) {
    const { id } = await lab.composeUp(lab.upstreamGateway("lan"));
    await lab.untilLogged(id, "listening");
  },
};
