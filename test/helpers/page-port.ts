import net from "node:net";
import { sleep } from "./clawkit.ts";

/** The port of the playbook's page. */
export const PAGE_PORT = 18789;

/**
 * Waits until no other test file of this machine uses the page's port; it is this process's from then on. The kernel
 * gives the name (an abstract socket) back when the process ends, however it does.
 */
export async function claimPagePort(): Promise<void> {
  if (process.platform !== "linux") return;
  while (!(await tryListen(`\0clawkit-test-port-${PAGE_PORT}`))) await sleep(200);
}

function tryListen(name: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(false) : reject(error),
    );
    server.listen(name, () => {
      server.unref();
      resolve(true);
    });
  });
}
