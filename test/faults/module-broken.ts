import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "module-broken",
  title: "a module of the gateway cannot be loaded",
  on: "clawkit",
  expected: ["module-failing"],
  isFixable: false,
  async break(lab) {
    await writeFile(join(lab.clawkit.stateDir, "broken.ts"), 'import "a-program-that-nobody-installed";\n');
    const clawkit = await lab.run({ gateway: { modules: ["./broken.ts"] } });
    await clawkit.untilStatus(({ gateway }) => gateway.troubles !== undefined);
  },
};
