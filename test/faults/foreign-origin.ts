import { TestClient } from "../helpers/clients.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "foreign-origin",
  title: "a page of another site opens a connection",
  on: "clawkit",
  expected: ["refused-by-edge"],
  isFixable: false,
  async break(lab) {
    const { url } = await lab.run();
    await new TestClient(url, { origin: "https://dashboard.example" }).ended;
    await lab.untilClosed("refused-by-edge");
  },
};
