import { chmod, rm } from "node:fs/promises";
import net from "node:net";
import type { ControlReply, ControlRequest } from "../core/control.ts";
import { ClawkitError, messageOf } from "../core/errors.ts";
import { LineSplitter } from "./lines.ts";

/** A request is a short line; a client that sends more is none of ours. */
const IDLE_TIMEOUT_MS = 10_000;

export type Answer = (request: ControlRequest, progress: (text: string) => void) => Promise<ControlReply>;

/**
 * Serves the control socket: one request per connection, JSON lines. Only the owner of the state directory can
 * reach it (directory 0700, socket 0600).
 */
export async function serveControl(path: string, answer: Answer): Promise<net.Server> {
  if (!path.startsWith("\\\\")) await rm(path, { force: true });
  const server = net.createServer((socket) => {
    const send = (reply: ControlReply) => {
      if (socket.writable) socket.write(`${JSON.stringify(reply)}\n`);
    };
    const splitter = new LineSplitter((line) => {
      socket.setTimeout(0);
      void respond(line, answer, send).finally(() => socket.end());
    });
    socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => splitter.push(chunk));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  if (!path.startsWith("\\\\")) await chmod(path, 0o600);
  return server;
}

async function respond(line: string, answer: Answer, send: (reply: ControlReply) => void): Promise<void> {
  try {
    const request = JSON.parse(line) as ControlRequest;
    send(await answer(request, (text) => send({ kind: "progress", text })));
  } catch (error) {
    const code = error instanceof ClawkitError ? error.code : "CONTROL_FAILED";
    send({ kind: "failed", code, message: messageOf(error) });
  }
}
