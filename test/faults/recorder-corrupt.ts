import { open } from "node:fs/promises";
import { join } from "node:path";
import type { ClawkitFault } from "./fault.ts";

// The run log still tells that nobody saw the end: both are right, and neither may be called certain wrongly.
export const fault: ClawkitFault = {
  id: "recorder-corrupt",
  title: "everything was killed, and recorder.db begins with garbage",
  on: "clawkit",
  expected: ["ended-without-record", "sqlite-corrupt-or-locked"],
  isFixable: true,
  async break(lab) {
    const { stateDir } = await lab.run();
    await lab.killAll();
    const file = await open(join(stateDir, "recorder.db"), "r+");
    await file.write(Buffer.alloc(4096, 0xa5), 0, 4096, 0);
    await file.close();
  },
};
