// A client of an echo gateway on a host that moves: talker.ts <url> <ms without a ping or an echo after which it comes back>.
// It says a number five times a second, and tells what becomes of its connections, each as a line of JSON.
import { WebSocket } from "ws";

export type Told =
  | { readonly event: "open"; readonly port: number }
  /** Of this connection; `missing` numbers were said between the first and the last that came back, and did not. */
  | { readonly event: "echo"; readonly count: number; readonly missing: number }
  | { readonly event: "closed"; readonly code: number };

const SAY_MS = 200;

const [url = "", patienceMs = ""] = process.argv.slice(2);
const tell = (told: Told) => console.log(JSON.stringify(told));

function connect(): void {
  const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: 2_000 });
  let said = 0;
  let count = 0;
  let patience: NodeJS.Timeout | undefined;
  const wait = () => {
    clearTimeout(patience);
    patience = setTimeout(() => socket.terminate(), Number(patienceMs));
  };
  let saying: NodeJS.Timeout | undefined;
  socket.on("error", () => undefined);
  socket.on("open", () => {
    const { localPort = 0 } = (socket as unknown as { _socket: { localPort?: number } })._socket;
    tell({ event: "open", port: localPort });
    wait();
    saying = setInterval(() => socket.send(`${++said}`), SAY_MS);
  });
  socket.on("ping", wait);
  socket.on("message", (text) => {
    wait();
    count++;
    tell({ event: "echo", count, missing: Number(text) - count });
  });
  socket.on("close", (code) => {
    clearTimeout(patience);
    clearInterval(saying);
    tell({ event: "closed", code });
    setTimeout(connect, SAY_MS);
  });
}

connect();
