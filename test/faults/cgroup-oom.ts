import { TestCgroup, whyNoCgroups } from "../helpers/cgroup.ts";
import type { ClawkitFault } from "./fault.ts";
import { faulty } from "./programs/index.ts";

/** A Node takes about 60 MB. */
const LIMIT_BYTES = 128 * 1024 * 1024;

export const fault: ClawkitFault = {
  id: "cgroup-oom",
  title: "the command takes more memory than its cgroup has, whenever it is started",
  on: "clawkit",
  expected: ["oom"],
  isFixable: false,
  needs: whyNoCgroups,
  async break(lab) {
    const { path } = lab.use(new TestCgroup(LIMIT_BYTES));
    const joinIt = `echo $$ > ${path}/cgroup.procs && exec "$@"`;
    await lab.loop(["sh", "-c", joinIt, "gateway", ...faulty("fails", ["memory"])]);
  },
};
