import { TestHost, whyNoNamespaces } from "../helpers/network.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "port-not-permitted",
  title: "the system lets only root listen on the port (EACCES), and the gateway's user is not root",
  on: "clawkit",
  expected: ["port-not-permitted"],
  isFixable: false,
  needs: whyNoNamespaces,
  async break(lab) {
    const at = lab.use(new TestHost());
    // the kernel keeps it below the ports that it gives to clients
    at.exec("sysctl", "-qw", "net.ipv4.ip_local_port_range=65000 65535");
    at.exec("sysctl", "-qw", "net.ipv4.ip_unprivileged_port_start=64999");
    await lab.becomeNobody();
    const { code, stderr } = await lab.clawkitCommand({ at }, "gateway", "start");
    if (code === 0) throw new Error(`it listens on a port that is root's: ${stderr}`);
    return { at };
  },
};
