import { TOKEN } from "../helpers/clawkit.ts";
import type { ClawkitFault } from "./fault.ts";
import { sayHello } from "./gateway-client.ts";

/** One more than the gateway takes (25 MiB, `policy.maxPayload`). */
const BYTES = 25 * 1024 * 1024 + 1;

export const fault: ClawkitFault = {
  id: "huge-message",
  title: "a client sends a message that is larger than the gateway takes",
  on: "clawkit",
  expected: ["payload-too-large"],
  isFixable: false,
  async break(lab) {
    const { url } = await lab.run();
    const client = await sayHello(url, { auth: { token: TOKEN } });
    await client.next();
    client.socket.send("x".repeat(BYTES));
    await client.ended;
    await lab.untilClosed("payload-too-large");
  },
};
