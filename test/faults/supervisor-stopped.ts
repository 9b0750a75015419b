import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "supervisor-stopped",
  title: "the supervisor is stopped (SIGSTOP): the gateway serves, and nobody watches it",
  on: "clawkit",
  expected: ["wedged-process"],
  isFixable: true,
  async break(lab) {
    const { supervisor } = await (await lab.run()).status();
    process.kill(supervisor.pid!, "SIGSTOP");
  },
};
