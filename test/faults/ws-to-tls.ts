import { TestCertificate } from "../helpers/tls.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "ws-to-tls",
  title: "the client speaks no TLS to a port with",
  on: "clawkit",
  expected: ["tls-mismatch"],
  isFixable: false,
  async break(lab) {
    const certificate = await TestCertificate.make();
    if (typeof certificate === "string") throw new Error(certificate);
    const { cert, key } = lab.use(certificate);
    const { url } = await lab.run({ gateway: { tls: { cert, key } } });
    return { args: ["--url", url] };
  },
};
