import { program } from "../helpers/clawkit.ts";
import type { ClawkitFault } from "./fault.ts";

const MAX = 4;
const CLIENTS = 40;

export const fault: ClawkitFault = {
  id: "connection-burst",
  title: "more clients connect at once than limits.maxConnections allows",
  on: "clawkit",
  expected: ["refused-by-edge", "connection-burst"],
  isFixable: false,
  async break(lab) {
    const upstream = { type: "command", command: program("echo") };
    await lab.run({ gateway: { upstream, limits: { maxConnections: MAX } } });
    const clients = lab.connect(CLIENTS);
    await Promise.all(
      clients.map(({ opened, ended }) => Promise.race([opened, ended]).catch(() => undefined)),
    );
    await lab.untilClosed("refused-by-edge");
  },
};
