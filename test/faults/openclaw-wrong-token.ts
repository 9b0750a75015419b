import type { OpenclawFault } from "./fault.ts";
import { sayHello } from "./gateway-client.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

export const fault: OpenclawFault = {
  id: "openclaw-wrong-token",
  title: "a client comes with a token that is not the gateway's",
  on: "openclaw",
  expected: ["pairing-or-auth-rejected"],
  isFixable: false,
  needs: whyNoOpenclaw,
  async break(lab) {
    await lab.run();
    const { code } = await (await sayHello(lab.url, { auth: { token: "another-gateways-token" } })).ended;
    if (code !== 1008) throw new Error(`it was closed with ${code}, not 1008`);
  },
};
