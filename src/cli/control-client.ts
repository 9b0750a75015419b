import net from "node:net";
import { createInterface } from "node:readline";
import type { ControlReply, ControlRequest, Status } from "../core/control.ts";
import { ClawkitError, type ErrorCode, errorCodes, systemErrorCode } from "../core/errors.ts";
import type { EdgeAnswer, EdgeQuestion } from "../core/messages.ts";

/** A living supervisor accepts at once, and tells its status as soon as its edge did or did not answer. */
const CONNECT_MS = 5_000;
const STATUS_MS = 8_000;

/** Asks the supervisor for its state, or to do something. Undefined if none is there. */
export async function callControl(
  path: string,
  request: ControlRequest,
  onProgress: (text: string) => void,
  statusMs = STATUS_MS,
): Promise<Status | undefined> {
  const reply = await converse(path, request, onProgress, statusMs);
  return reply?.kind === "done" ? reply.status : undefined;
}

/** What the edge answers. Throws CONTROL_FAILED if there is none. */
export async function askEdge(path: string, question: EdgeQuestion): Promise<EdgeAnswer> {
  const reply = await converse(path, { op: "ask-edge", question }, () => undefined);
  if (reply?.kind === "edge-answer") return reply.answer;
  throw new ClawkitError("CONTROL_FAILED", "Cannot ask the edge as there is none: clawkit gateway start");
}

/** A way into the console behind the edge; undefined if no supervisor is there. */
export async function askForCode(path: string) {
  const reply = await converse(path, { op: "console-code" }, () => undefined);
  return reply?.kind === "code" ? reply : undefined;
}

/** The last reply. Undefined if nobody is there; throws what it answers, or that it does not, as an error. */
function converse(
  path: string,
  request: ControlRequest,
  onProgress: (text: string) => void,
  statusMs = STATUS_MS,
): Promise<Exclude<ControlReply, { kind: "progress" | "failed" }> | undefined> {
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
      else if (reply.kind !== "failed") resolve(reply);
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
