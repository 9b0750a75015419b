import { freePort, program } from "../helpers/clawkit.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "upstream-gone",
  title: "a gateway that runs elsewhere, by gateway.upstream.url, was there and is gone",
  on: "clawkit",
  expected: ["gateway-unreachable"],
  isFixable: false,
  async break(lab) {
    const port = await freePort();
    const server = await lab.serve(program("echo"), port);
    await lab.run({ gateway: { upstream: { type: "url", url: `ws://127.0.0.1:${port}` } } });
    server.kill("SIGKILL");
    await lab.untilRecorded();
  },
};
