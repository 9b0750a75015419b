import type { Host } from "../host/types.ts";
import type { Child } from "./child.ts";
import { type NodeReport, parseReport } from "./node-report.ts";

/** What a process that hangs may take to open its debugger, and to stop at its next step. */
const ANSWER_MS = 1_500;

const SIGUSR1 = 10;

/** Runs in the process that hangs. */
const TAKE_REPORT = "process.report.getReport(new Error('stack of the blocked JavaScript'))";

/**
 * Asks a Node process that does not answer what its JavaScript is doing: SIGUSR1 opens its debugger (a thread of
 * its own, so a busy loop does not keep it), which stops it and takes a diagnostic report with the stack. The
 * process goes on afterwards; its supervisor is about to end it anyway. Undefined if it is no Node, or does not say.
 */
export async function takeBlockedStack(child: Child, host: Host): Promise<NodeReport | undefined> {
  const { pid } = child;
  if (pid === undefined || !(await host.handlesSignal(pid, SIGUSR1).catch(() => false))) return undefined;
  const deadline = AbortSignal.timeout(ANSWER_MS); // and for whatever else a process that hangs may say
  child.signalAlone("SIGUSR1");
  const url = await debuggerUrl(child, deadline);
  return url === undefined ? undefined : await takeReport(url, deadline).catch(() => undefined);
}

/** Node prints where its debugger listens: `Debugger listening on ws://127.0.0.1:41123/<uuid>`. */
async function debuggerUrl(child: Child, deadline: AbortSignal): Promise<string | undefined> {
  while (!deadline.aborted) {
    for (const line of child.lastLines.slice(-10)) {
      const url = /^Debugger listening on (ws:\/\/127\.0\.0\.1:\d{1,5}\/[0-9a-f-]{36})$/.exec(line)?.[1];
      if (url !== undefined) return url;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return undefined;
}

/** The three messages of the Chrome DevTools Protocol that this takes. */
function takeReport(url: string, deadline: AbortSignal): Promise<NodeReport | undefined> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    const finish = (report: NodeReport | undefined) => {
      socket.close();
      resolve(report);
    };
    deadline.addEventListener("abort", () => finish(undefined), { once: true });
    const send = (id: number, method: string, params: object = {}) =>
      socket.send(JSON.stringify({ id, method, params }));
    socket.onopen = () => {
      send(1, "Debugger.enable");
      send(2, "Debugger.pause");
    };
    socket.onerror = () => finish(undefined);
    socket.onmessage = ({ data }) => {
      const message = parseMessage(String(data));
      if (message === undefined) return reject(new Error("that is no debugger"));
      if (message.method === "Debugger.paused") {
        const [frame] = message.params?.callFrames ?? [];
        const expression = `JSON.stringify(${TAKE_REPORT})`;
        if (frame === undefined) finish(undefined);
        else send(3, "Debugger.evaluateOnCallFrame", { callFrameId: frame.callFrameId, expression });
      } else if (message.id === 3) {
        finish(parseReport(message.result?.result?.value ?? ""));
      }
    };
  });
}

function parseMessage(text: string): DebuggerMessage | undefined {
  try {
    return JSON.parse(text) as DebuggerMessage;
  } catch {
    return undefined;
  }
}

interface DebuggerMessage {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly callFrames?: readonly { readonly callFrameId: string }[] };
  readonly result?: { readonly result?: { readonly value?: string } };
}
