import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../helpers/clawkit.ts";
import type { ClawkitFault } from "./fault.ts";

export const fault: ClawkitFault = {
  id: "client-url",
  title: "gateway.remote.url in OpenClaw's config sends clients to a port on which nobody listens",
  on: "clawkit",
  expected: ["wrong-url-or-port"],
  isFixable: true,
  async break(lab) {
    await lab.run();
    await mkdir(join(lab.home, ".openclaw"), { mode: 0o700 });
    const gateway = { mode: "remote", remote: { url: `ws://127.0.0.1:${await freePort()}` } };
    await writeFile(join(lab.home, ".openclaw", "openclaw.json"), JSON.stringify({ gateway }), {
      mode: 0o600,
    });
    return undefined;
  },
};
