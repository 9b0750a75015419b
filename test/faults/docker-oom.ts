import { GATEWAY_IMAGE } from "../containers/images.ts";
import { whyNoDocker } from "./docker-lab.ts";
import type { DockerFault } from "./fault.ts";

/** Its first life takes more memory than its cgroup has, the next ones are a gateway's. */
const ONCE = `test -e /tmp/once && exec clawkit gateway run
touch /tmp/once
exec node -e 'const kept = []; for (;;) kept.push(Buffer.alloc(1 << 20, 1))'`;

export const fault: DockerFault = {
  id: "docker-oom",
  title: "the container takes more memory than its limit",
  on: "docker",
  // it would be there again with a restart policy
  expected: ["oom", "docker-no-restart-policy"],
  isFixable: true,
  needs: whyNoDocker,
  async break(lab) {
    const limits = ["--memory", "256m", "--memory-swap", "256m"];
    const id = await lab.run(["-p", `${lab.port}:18789`, ...limits], GATEWAY_IMAGE, "sh", "-c", ONCE);
    await lab.untilState(id, "{{.State.Status}}", "exited");
  },
};
