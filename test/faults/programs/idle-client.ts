// A client that connects, says that it is open, and waits.
import { WebSocket } from "ws";

const socket = new WebSocket(process.argv[2]!);
socket.on("error", () => undefined);
socket.on("open", () => console.log("open"));
