// A gateway that is well, and throws everybody out.
import { WebSocketServer } from "ws";

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.env.PORT) });
server.on("connection", (socket) => {
  socket.on("error", () => undefined);
  socket.close(1008, "you are not on the list");
});
console.log("ready");
