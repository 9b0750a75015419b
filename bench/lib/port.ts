import { createServer } from "node:net";

/** Below the kernel's default ephemeral range (32768–60999), so no outgoing connection can take the port. */
const LOWEST = 20_000;
const HIGHEST = 32_000;

let next = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));

/** A port on 127.0.0.1 that nobody listens on now. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = next++;
    if (next > HIGHEST) next = LOWEST;
    if (await isFree(port)) return port;
  }
  throw new Error(`Cannot find a free port between ${LOWEST} and ${HIGHEST}: 100 in a row are in use`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
