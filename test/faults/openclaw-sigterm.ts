import { once } from "node:events";
import type { OpenclawFault } from "./fault.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

export const fault: OpenclawFault = {
  id: "openclaw-sigterm",
  title: "the gateway was ended with SIGTERM, as its operator does",
  on: "openclaw",
  // its log says that it was asked to, not by whom
  expected: ["planned-stop", "not-listening"],
  isFixable: true,
  needs: whyNoOpenclaw,
  async break(lab) {
    const gateway = await lab.run();
    const ended = once(gateway, "exit");
    gateway.kill("SIGTERM");
    await ended;
  },
};
