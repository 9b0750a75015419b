import type { OpenclawFault } from "./fault.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

export const fault: OpenclawFault = {
  id: "openclaw-wss-to-plain",
  title: "the client speaks TLS to a port without",
  on: "openclaw",
  expected: ["tls-mismatch"],
  isFixable: false,
  needs: whyNoOpenclaw,
  async break(lab) {
    await lab.run();
    return { args: ["--url", `wss://127.0.0.1:${lab.port}`] };
  },
};
