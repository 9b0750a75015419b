// The plain gateway of `clawkit demo`: an echo server on ws, as anybody might write one.
import { WebSocketServer } from "ws";

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.env.PORT) });
server.on("connection", (socket) => {
  socket.on("error", () => undefined); // 'close' follows
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
