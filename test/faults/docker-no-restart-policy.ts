import { GATEWAY_IMAGE } from "../containers/images.ts";
import { whyNoDocker } from "./docker-lab.ts";
import type { DockerFault } from "./fault.ts";

/** Its first life ends with an error, the next ones are a gateway's. */
const ONCE = "test -e /tmp/once && exec clawkit gateway run; touch /tmp/once; echo it does not work; exit 1";

export const fault: DockerFault = {
  id: "docker-no-restart-policy",
  title: "the container's program exits with 1, and nothing brings it back",
  on: "docker",
  expected: ["docker-no-restart-policy"],
  isFixable: true,
  needs: whyNoDocker,
  async break(lab) {
    const id = await lab.run(["-p", `${lab.port}:18789`], GATEWAY_IMAGE, "sh", "-c", ONCE);
    await lab.untilState(id, "{{.State.Status}}", "exited");
  },
};
