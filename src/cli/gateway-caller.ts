import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { PROTOCOL_VERSION } from "@openclaw/gateway-protocol/version";
import WebSocket from "ws";
import { resolveConfig } from "../config/resolve.ts";
import { CLOSE } from "../core/close-codes.ts";
import { ClawkitError } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import { VERSION } from "../core/version.ts";
import { readConfigSource } from "./config-file.ts";
import type { CliContext } from "./context.ts";
import { currentStatus } from "./running.ts";

/** As long as the reference client waits (knowledge: openclaw.md). */
const ANSWER_MS = 30_000;

/** A gateway that does not answer a Close frame within this time is not waited for. */
const CLOSING_MS = 1_000;

/** All that a client of this machine may have. */
const SCOPES = [
  "operator.read",
  "operator.write",
  "operator.admin",
  "operator.approvals",
  "operator.pairing",
];

interface Frame {
  readonly type?: string;
  readonly id?: string;
  readonly event?: string;
  readonly ok?: boolean;
  readonly payload?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Asks the built-in gateway one thing, as an operator of this machine. Throws NOT_RUNNING or CALL_FAILED. */
export async function callGateway(
  context: CliContext,
  method: string,
  params: unknown,
  answerMs = ANSWER_MS,
): Promise<unknown> {
  const { gateway } = resolveConfig(await readConfigSource(context.paths), context.env);
  if (gateway.upstream.type !== "builtin") {
    throw new ClawkitError(
      "CALL_FAILED",
      `Cannot call ${method} as the gateway is not the built-in one (gateway.upstream is ${gateway.upstream.type}): ask it with its own command, such as openclaw gateway call ${method}`,
    );
  }
  const { state, url } = await currentStatus(context);
  if (url === null) {
    throw new ClawkitError(
      "NOT_RUNNING",
      `Cannot call ${method} as no gateway runs (${state}): clawkit gateway start`,
    );
  }
  const { token, password } = gateway.auth;
  const auth = { ...(token === undefined ? {} : { token }), ...(password === undefined ? {} : { password }) };
  return await converse({
    url,
    auth,
    platform: context.platform,
    method,
    params,
    answerMs,
    interrupted: context.interrupted,
  });
}

interface Call {
  readonly url: string;
  readonly auth: object;
  readonly platform: string;
  readonly method: string;
  readonly params: unknown;
  readonly answerMs: number;
  readonly interrupted: AbortSignal;
}

function converse(call: Call): Promise<unknown> {
  const { url, method, params, answerMs, interrupted } = call;
  const deadline = AbortSignal.any([interrupted, AbortSignal.timeout(answerMs)]);
  // our supervisor has just named it; its certificate is for the name that others call it by
  const socket = new WebSocket(url, { rejectUnauthorized: false });
  const request = (id: string, name: string, body: unknown) =>
    socket.send(JSON.stringify({ type: "req", id, method: name, params: body }));
  return new Promise<unknown>((resolve, reject) => {
    const fail = (what: string) => {
      const lines = `Cannot call ${method}: ${what}`.split("\n").map(printable);
      reject(new ClawkitError("CALL_FAILED", lines.join("\n")));
    };
    const giveUp = () =>
      fail(
        interrupted.aborted
          ? "it was interrupted"
          : `no answer within ${answerMs / 1000} s: clawkit gateway status`,
      );
    // what was interrupted before says nothing again
    if (deadline.aborted) giveUp();
    else deadline.addEventListener("abort", giveUp);
    socket.on("error", (error) => fail(error.message));
    socket.on("close", (code, reason) =>
      fail(`the gateway closed the connection (${code} ${reason.toString()})`),
    );
    socket.on("message", (data) => {
      const frame = frameOf(data.toString());
      if (frame === undefined)
        return fail("what answers there speaks another protocol: clawkit gateway status");
      if (frame.event === "connect.challenge") request("connect", "connect", connectParams(call));
      if (frame.type !== "res") return;
      if (frame.ok !== true) return fail(`${frame.error?.code}: ${frame.error?.message}`);
      if (frame.id === "connect") request("call", method, params);
      else resolve(frame.payload);
    });
  }).finally(() => leave(socket));
}

function frameOf(text: string): Frame | undefined {
  try {
    return (JSON.parse(text) ?? undefined) as Frame | undefined;
  } catch {
    return undefined;
  }
}

/** With a Close frame: a connection that ends without one is trouble to whoever watches. */
async function leave(socket: WebSocket): Promise<void> {
  if (socket.readyState === WebSocket.OPEN) {
    const closed = once(socket, "close");
    socket.close(CLOSE.normal);
    await Promise.race([closed, sleep(CLOSING_MS, undefined, { ref: false })]);
  }
  socket.terminate();
}

function connectParams({ auth, platform }: Call): object {
  return {
    minProtocol: PROTOCOL_VERSION,
    maxProtocol: PROTOCOL_VERSION,
    client: { id: "cli", displayName: "clawkit", version: VERSION, platform, mode: "cli" },
    role: "operator",
    scopes: SCOPES,
    auth,
  };
}
