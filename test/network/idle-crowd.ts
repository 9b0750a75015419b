// Clients that say nothing: idle-crowd.ts <url> <number> <seconds without a ping after which one comes back>.
// Tells every second, as a line of JSON, how it is.
import { WebSocket } from "ws";

/** What a crowd has seen since it began. */
export interface CrowdSeen {
  readonly open: number;
  readonly pings: number;
  /** Connections that ended, or were given up. */
  readonly drops: number;
}

const [url = "", number = "", patienceSec = ""] = process.argv.slice(2);
const seen = { open: 0, pings: 0, drops: 0 };

function connect(): void {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  let patience: NodeJS.Timeout | undefined;
  const wait = () => {
    clearTimeout(patience);
    patience = setTimeout(() => socket.terminate(), Number(patienceSec) * 1_000);
  };
  let wasOpen = false;
  socket.on("error", () => undefined);
  socket.on("open", () => {
    wasOpen = true;
    seen.open++;
    wait();
  });
  socket.on("ping", () => {
    seen.pings++;
    wait();
  });
  socket.on("close", () => {
    clearTimeout(patience);
    if (wasOpen) {
      seen.open--;
      seen.drops++;
    }
    setTimeout(connect, Math.random() * 1_000);
  });
}

for (let i = 0; i < Number(number); i++) connect();
setInterval(() => console.log(JSON.stringify(seen)), 1_000);
