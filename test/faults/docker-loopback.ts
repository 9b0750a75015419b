import { whyNoDocker } from "./docker-lab.ts";
import type { DockerFault } from "./fault.ts";

export const fault: DockerFault = {
  id: "docker-loopback",
  title: "the gateway listens on the container's loopback",
  on: "docker",
  expected: ["docker-loopback-bind"],
  isFixable: true,
  needs: whyNoDocker,
  async break(lab) {
    const ports = ["ports:", `  - "127.0.0.1:${lab.port}:${lab.port}"`];
    const { id } = await lab.composeUp(lab.upstreamGateway("loopback", ports));
    await lab.untilLogged(id, "listening");
  },
};
