import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "ipv6-gateway",
  title: "the gateway listens on ::1 and the client asks 127.0.0.1",
  on: "clawkit",
  expected: ["address-family-mismatch"],
  isFixable: false,
  async break(lab) {
    const { url } = await lab.run({ gateway: { bind: "::1" } });
    return { args: ["--url", url] };
  },
};
