// Asks a server over its local socket without pause, as an edge would for many clients:
// load.ts <folder> <method> <connections> <in flight> <seconds>. Prints a line of JSON. With none in flight one client asks twice a second.
import net from "node:net";
import { join } from "node:path";
import { WebSocket } from "ws";
import { encodeNote } from "../../src/protocol/link-protocol.ts";
import { CONNECT, EDGE_KEY } from "./keys.ts";

const [folder = "", method = "", ...numbers] = process.argv.slice(2);
const [connections = 0, inFlight = 0, seconds = 0] = numbers.map(Number);

/** As the edge does: messages that were passed on are told every 50 ms. */
const ACK_MS = 50;

let answered = 0;

async function open(index: number): Promise<WebSocket> {
  const socket = new WebSocket("ws://gateway", {
    perMessageDeflate: false,
    headers: {
      "X-Clawkit-Edge": EDGE_KEY,
      "X-Clawkit-Link": `bench-${index}`,
      "X-Clawkit-Position": "0 0 0",
    },
    createConnection: (() => net.connect(join(folder, "gateway.sock"))) as typeof net.createConnection,
  });
  let received = 0;
  let told = 0;
  setInterval(() => {
    if (received > told) socket.pong(encodeNote({ kind: "ack", n: received }));
    told = received;
  }, ACK_MS).unref();
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.on("message", (data) => {
      received++;
      const text = data.toString();
      if (text.startsWith('{"type":"event"')) {
        if (text.includes("connect.challenge")) ask(socket, "connect", CONNECT);
        return;
      }
      if (received === 2) return resolve(); // challenge, hello
      answered++;
      ask(socket, method, PARAMS[method] ?? {});
    });
  });
  return socket;
}

const PARAMS: Readonly<Record<string, object>> = { "system-event": { text: "a few words of what happened" } };

let lastId = 0;
function ask(socket: WebSocket, name: string, params: object): void {
  socket.send(JSON.stringify({ type: "req", id: String(++lastId), method: name, params }));
}

const sockets = await Promise.all(Array.from({ length: connections }, (_, index) => open(index)));
if (inFlight === 0) setInterval(() => ask(sockets[0]!, method, PARAMS[method] ?? {}), 500);
for (const socket of sockets) for (let i = 0; i < inFlight; i++) ask(socket, method, PARAMS[method] ?? {});
await new Promise((resolve) => setTimeout(resolve, 500)); // it is warm from here on
const before = answered;
const startedAt = performance.now();
console.log("running");
await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
const perSecond = (answered - before) / ((performance.now() - startedAt) / 1_000);
console.log(JSON.stringify({ answered: answered - before, perSecond }));
process.exit();
