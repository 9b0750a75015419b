import { freePort } from "../helpers/clawkit.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "proxy",
  title: "Node is told to use a proxy, and 127.0.0.1 is not excluded",
  on: "clawkit",
  expected: ["proxy-captures-loopback"],
  // a variable of the caller's shell
  isFixable: false,
  async break(lab) {
    await lab.run();
    const proxy = `http://127.0.0.1:${await freePort()}`;
    return { env: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NODE_USE_ENV_PROXY: "1" } };
  },
};
