import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Child } from "./child.ts";

/** How long a server may take to answer its first upgrade, in ms. */
const READY_MS = 15_000;

/** Waits until a WebSocket handshake through `port` is answered with 101, or `child` is gone. */
export async function untilUpgraded(port: number, child: Child, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + READY_MS;
  while (!(await isUpgraded(port))) {
    if (child.hasExited()) throw new Error(`${child.name} ended early: ${child.tail()}`);
    if (performance.now() > deadline) {
      throw new Error(`${child.name} did not upgrade within ${READY_MS} ms: ${child.tail()}`);
    }
    await sleep(20, undefined, { signal });
  }
}

function isUpgraded(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const headers = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    };
    const probe = request({ host: "127.0.0.1", port, headers, agent: false, timeout: 1_000 });
    probe.on("upgrade", (_response, socket) => {
      socket.destroy();
      resolve(true);
    });
    probe.on("response", (response) => {
      response.destroy();
      resolve(false);
    });
    probe.on("timeout", () => probe.destroy());
    probe.on("error", () => resolve(false));
    probe.on("close", () => resolve(false));
    probe.end();
  });
}
