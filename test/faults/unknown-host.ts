import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "unknown-host",
  title: "the client is given a name that does not exist",
  on: "clawkit",
  expected: ["name-not-resolved"],
  isFixable: false,
  async break(lab) {
    await lab.run();
    // never a name (RFC 6761 §6.4)
    return { args: ["--url", `ws://no-such-host.invalid:${lab.clawkit.port}`] };
  },
};
