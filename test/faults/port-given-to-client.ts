import { once } from "node:events";
import { TestHost, whyNoNamespaces } from "../helpers/network.ts";
import type { ClawkitFault } from "./fault.ts";

const SERVER = 20_800;

/** A server, and a client of it that keeps its connection; the system gives the client its port. */
const SCRIPT = `const net = require("net");
net.createServer().listen(${SERVER}, "127.0.0.1", () => {
  net.connect(${SERVER}, "127.0.0.1").on("connect", () => console.log("connected"));
});`;

export const fault: ClawkitFault = {
  id: "port-given-to-client",
  title: "the system has given the port to another program's outgoing connection (EADDRINUSE)",
  on: "clawkit",
  expected: ["port-conflict"],
  isFixable: false,
  needs: whyNoNamespaces,
  async break(lab) {
    const at = lab.use(new TestHost());
    const { port } = lab.clawkit;
    // the range that client ports are taken from, as wide as one port
    at.exec("sysctl", "-qw", `net.ipv4.ip_local_port_range=${port} ${port}`);
    const { stdout } = at.spawn(process.execPath, "-e", SCRIPT);
    await once(stdout!, "data");
    const { code } = await lab.clawkitCommand({ at }, "gateway", "start");
    if (code === 0) throw new Error("it listens on a port that a client has");
    return { at };
  },
};
