import net from "node:net";
import { createInterface } from "node:readline";
import type { ControlReply, ControlRequest, Status } from "../core/control.ts";
import { ClawkitError, type ErrorCode, errorCodes, systemErrorCode } from "../core/errors.ts";

/** A living supervisor accepts at once, and tells its status as soon as its edge did or did not answer. */
const CONNECT_MS = 5_000;
const STATUS_MS = 8_000;

/** Asks the supervisor. Undefined if none is there; throws what it answers, or that it does not, as an error. */
export function callControl(
  path: string,
  request: ControlRequest,
  onProgress: (text: string) => void,
  statusMs = STATUS_MS,
): Promise<Status | undefined> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(path);
    socket.setTimeout(Math.min(CONNECT_MS, statusMs), () => socket.destroy(new Error("it does not answer")));
    socket.on("connect", () => {
      // what else is asked for may take as long as it takes
      socket.setTimeout(request.op === "status" ? statusMs : 0);
      socket.write(`${JSON.stringify(request)}\n`);
    });
    socket.on("error", (error) => {
      const code = systemErrorCode(error);
      if (code === "ENOENT" || code === "ECONNREFUSED") resolve(undefined);
      else
        reject(new ClawkitError("CONTROL_FAILED", `Cannot ask the supervisor at ${path}`, { cause: error }));
    });
    const lines = createInterface({ input: socket });
    lines.on("error", () => undefined); // the socket's own error event has it
    lines.on("line", (line) => {
      const reply = JSON.parse(line) as ControlReply;
      if (reply.kind === "progress") onProgress(reply.text);
      else if (reply.kind === "done") resolve(reply.status);
      else reject(new ClawkitError(asErrorCode(reply.code), reply.message));
    });
    socket.on("close", () => {
      reject(new ClawkitError("CONTROL_FAILED", "The supervisor ended before it answered: see clawkit logs"));
    });
  });
}

function asErrorCode(code: string): ErrorCode {
  return code in errorCodes ? (code as ErrorCode) : "CONTROL_FAILED";
}
