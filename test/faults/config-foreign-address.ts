import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "config-foreign-address",
  title: "gateway.bind is an address of another machine, and a start was refused for it",
  on: "clawkit",
  expected: ["config-invalid", "config-refused-at-startup"],
  isFixable: false,
  async break(lab) {
    const clawkit = await lab.run();
    await lab.killAll();
    // of the range for documentation (RFC 5737)
    await clawkit.writeConfig({ gateway: { bind: "203.0.113.7" } });
    const { code } = await clawkit.cli("gateway", "start");
    if (code === 0) throw new Error("it started at an address that is not this machine's");
  },
};
