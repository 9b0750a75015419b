// Clients that say nothing but a ping every so often, for so long: kept-client.ts <url> <seconds> <every…>. Prints for each
// how long it was kept, as one JSON line.
import { WebSocket } from "ws";

const [url = "", forSec = "", ...intervals] = process.argv.slice(2);
/** A pong that takes longer does not come. */
const PONG_MS = 5_000;

const kept = await Promise.all(intervals.map((every) => keptSec(Number(every))));
console.log(JSON.stringify(Object.fromEntries(intervals.map((every, at) => [every, kept[at]]))));
process.exit();

function keptSec(everySec: number): Promise<number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    const startedAt = performance.now();
    let answeredAt = startedAt;
    const over = () => {
      clearInterval(timer);
      clearTimeout(end);
      socket.terminate();
      resolve(Math.round((performance.now() - startedAt) / 1000));
    };
    const timer = setInterval(() => {
      if (performance.now() - answeredAt > everySec * 1000 + PONG_MS) return over();
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    }, everySec * 1000);
    const end = setTimeout(over, Number(forSec) * 1000);
    socket.on("pong", () => (answeredAt = performance.now()));
    socket.on("error", () => undefined);
    socket.on("close", over);
  });
}
