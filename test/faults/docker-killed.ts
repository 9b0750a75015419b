import { whyNoDocker } from "./docker-lab.ts";
import type { DockerFault } from "./fault.ts";

// Docker takes its own kill for a wish: no restart policy brings the container back.
export const fault: DockerFault = {
  id: "docker-killed",
  title: "docker kill",
  on: "docker",
  expected: ["killed-by-signal"],
  isFixable: true,
  needs: whyNoDocker,
  async break(lab) {
    const id = await lab.runGateway(["--restart", "unless-stopped"]);
    await lab.docker("kill", id);
    await lab.untilState(id, "{{.State.Status}}", "exited");
  },
};
