import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "ipv6-client",
  title: "the gateway listens on 127.0.0.1 and the client asks ::1",
  on: "clawkit",
  expected: ["address-family-mismatch"],
  isFixable: false,
  async break(lab) {
    const { port } = await lab.run({ gateway: { bind: "127.0.0.1" } });
    return { args: ["--url", `ws://[::1]:${port}`] };
  },
};
