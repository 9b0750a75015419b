import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "wss-to-plain",
  title: "the client speaks TLS to a port without",
  on: "clawkit",
  expected: ["tls-mismatch"],
  isFixable: false,
  async break(lab) {
    const { port } = await lab.run();
    return { args: ["--url", `wss://127.0.0.1:${port}`] };
  },
};
