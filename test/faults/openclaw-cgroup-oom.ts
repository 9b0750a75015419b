import { TestCgroup, whyNoCgroups } from "../helpers/cgroup.ts";
import { until } from "../helpers/clawkit.ts";
import { ask } from "../helpers/http.ts";
import type { OpenclawFault } from "./fault.ts";

/** What it takes from now on is counted: a few requests are enough. */
const LIMIT_BYTES = 4 * 1024 * 1024;

export const fault: OpenclawFault = {
  id: "openclaw-cgroup-oom",
  title: "the gateway takes more memory than its cgroup has",
  on: "openclaw",
  expected: ["oom"],
  isFixable: true,
  needs: whyNoCgroups,
  async break(lab) {
    const gateway = await lab.run();
    lab.use(new TestCgroup(LIMIT_BYTES)).take(gateway.pid!);
    await until(async () => {
      await ask(lab.port, "/").catch(() => undefined);
      return gateway.signalCode === "SIGKILL" || undefined;
    });
  },
};
