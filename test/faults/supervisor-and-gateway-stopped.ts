import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "supervisor-and-gateway-stopped",
  title: "the gateway is stopped (SIGSTOP), and its supervisor, which would restart it, too",
  on: "clawkit",
  expected: ["wedged-process"],
  isFixable: true,
  async break(lab) {
    const { supervisor, gateway } = await (await lab.run()).status();
    for (const { pid } of [supervisor, gateway]) process.kill(pid!, "SIGSTOP");
  },
};
