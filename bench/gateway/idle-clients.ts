// Clients that say hello through an edge and then nothing: idle-clients.ts <port> <clients>. Says `held`; leaves when its stdin closes.
import { once } from "node:events";
import { WebSocket } from "ws";
import { CONNECT } from "./keys.ts";

const [port, clients] = process.argv.slice(2).map(Number) as [number, number];

/** An edge lets this many say hello at once from one address. */
const AT_ONCE = 16;

async function hold(): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  await once(socket, "message"); // the challenge
  socket.send(JSON.stringify({ type: "req", id: "1", method: "connect", params: CONNECT }));
  await once(socket, "message"); // the hello
  socket.on("message", () => undefined);
}

for (let held = 0; held < clients; held += AT_ONCE) {
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, clients - held) }, hold));
}
console.log("held");
process.stdin.on("end", () => process.exit()).resume();
