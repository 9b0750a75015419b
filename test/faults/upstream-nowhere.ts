import { freePort } from "../helpers/clawkit.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "upstream-nowhere",
  title: "gateway.upstream.url leads to a port on which nobody ever listened",
  on: "clawkit",
  expected: ["gateway-unreachable"],
  isFixable: false,
  async break(lab) {
    const upstream = { type: "url", url: `ws://127.0.0.1:${await freePort()}` };
    await lab.clawkit.writeConfig({ gateway: { upstream } });
    await lab.clawkit.runForeground();
    await lab.clawkit.untilStatus(({ reason }) => reason?.includes("cannot be reached") ?? false);
  },
};
