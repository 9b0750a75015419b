import { TOKEN } from "../helpers/clawkit.ts";
import type { ClawkitFault } from "./fault.ts";
import { sayHello } from "./gateway-client.ts";

export const fault: ClawkitFault = {
  id: "protocol-99",
  title: "a client speaks a version of the protocol that the gateway does not",
  on: "clawkit",
  expected: ["protocol-mismatch"],
  isFixable: false,
  async break(lab) {
    const { url } = await lab.run();
    const versions = { minProtocol: 99, maxProtocol: 99 };
    await (await sayHello(url, { ...versions, auth: { token: TOKEN } })).ended;
    await lab.untilClosed();
  },
};
