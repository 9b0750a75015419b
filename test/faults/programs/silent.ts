// A server that takes connections and never says a word.
import { createServer } from "node:net";

createServer((socket) => socket.on("error", () => undefined)).listen(Number(process.env.PORT), "127.0.0.1");
