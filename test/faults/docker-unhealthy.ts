import { whyNoDocker } from "./docker-lab.ts";
import type { DockerFault } from "./fault.ts";

/** As in the image, but not in half a minute. */
const CHECK = ["interval=1s", "timeout=1s", "start-period=1s", "retries=2"].map((one) => `--health-${one}`);

// The supervisor inside would mend a gateway alone: here it is stopped, too.
export const fault: DockerFault = {
  id: "docker-unhealthy",
  title: "all processes of the container are stopped, but the first",
  on: "docker",
  expected: ["docker-unhealthy"],
  isFixable: true,
  needs: whyNoDocker,
  async break(lab) {
    const id = await lab.runGateway(["--stop-timeout", "1", ...CHECK]);
    await lab.docker("exec", id, "sh", "-c", "kill -STOP -1");
    await lab.untilState(id, "{{.State.Health.Status}}", "unhealthy");
  },
};
