// The server behind every proxy: a plain `ws` echo on 127.0.0.1:$PORT, ended when its stdin closes.
import { WebSocketServer } from "ws";

const port = Number(process.env.PORT);
const server = new WebSocketServer({ host: "127.0.0.1", port, backlog: 4096, perMessageDeflate: false });

server.on("connection", (socket) => {
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  socket.on("error", () => socket.terminate());
});
server.on("listening", () => console.log(`listening on 127.0.0.1:${port}`));
process.stdin.on("end", () => process.exit(0)).resume();
