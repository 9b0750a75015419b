import type { ClawkitFault } from "./fault.ts";
import { sayHello } from "./gateway-client.ts";

export const fault: ClawkitFault = {
  id: "wrong-token",
  title: "a client comes with a token that is not the gateway's",
  on: "clawkit",
  expected: ["pairing-or-auth-rejected"],
  isFixable: false,
  async break(lab) {
    const { url } = await lab.run();
    await (await sayHello(url, { auth: { token: "the-token-of-another-gateway" } })).ended;
    await lab.untilClosed("pairing-or-auth-rejected");
  },
};
