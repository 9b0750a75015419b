import { ConnectErrorDetailCodes } from "@openclaw/gateway-protocol/connect-error-details";
import { ErrorCodes } from "@openclaw/gateway-protocol/gateway-error-details";
import {
  MIN_CLIENT_PROTOCOL_VERSION,
  MIN_NODE_PROTOCOL_VERSION,
  MIN_PROBE_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
} from "@openclaw/gateway-protocol/version";
import { CLOSE } from "../core/close-codes.ts";
import type { Authenticator } from "./auth.ts";
import type { ErrorShape } from "./frames.ts";
import { type ConnectParams, readConnectParams, readRequestFrame } from "./schemas.ts";

/** Who connects, as the edge reported it. */
export interface Caller {
  readonly address: string;
  readonly isLocal: boolean;
}

export interface Accepted {
  readonly requestId: string;
  readonly params: ConnectParams;
  readonly role: "operator" | "node";
  readonly scopes: readonly string[];
}

/** How a connection that did not get in is closed; `response` is sent before, if the request had an id. */
export interface Rejected {
  readonly close: { readonly code: number; readonly reason: string };
  readonly response?: { readonly id: string; readonly error: ErrorShape };
}

const LOCAL_SCOPES = [
  "operator.read",
  "operator.write",
  "operator.admin",
  "operator.approvals",
  "operator.pairing",
];

/** Judges the first frame of a connection. The codes and words are the real gateway's. */
export function judgeFirstFrame(text: string, caller: Caller, auth: Authenticator): Accepted | Rejected {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { close: { code: CLOSE.normal, reason: "" } };
  }
  const frame = readRequestFrame(parsed);
  if ("problem" in frame || frame.value.method !== "connect") {
    const message = "invalid handshake: first request must be connect";
    const close = { code: CLOSE.policyViolation, reason: message };
    if ("problem" in frame) return { close };
    return { close, response: { id: frame.value.id, error: { code: ErrorCodes.INVALID_REQUEST, message } } };
  }
  const { id } = frame.value;
  const params = readConnectParams(frame.value.params);
  if ("problem" in params) {
    return reject(id, CLOSE.policyViolation, `invalid connect params: ${params.problem}`);
  }
  return judgeConnect(id, params.value, caller, auth);
}

function judgeConnect(
  id: string,
  params: ConnectParams,
  caller: Caller,
  auth: Authenticator,
): Accepted | Rejected {
  const role = params.role ?? "operator";
  if (role !== "operator" && role !== "node") return reject(id, CLOSE.policyViolation, "invalid role");
  const lowest = lowestProtocol(role, params.client.mode);
  if (params.maxProtocol < lowest || params.minProtocol > PROTOCOL_VERSION) {
    return reject(id, CLOSE.protocolError, "protocol mismatch", {
      code: ConnectErrorDetailCodes.PROTOCOL_MISMATCH,
      expectedProtocol: PROTOCOL_VERSION,
    });
  }
  const refusal = auth.refusalOf(caller.address, params.auth ?? {});
  if (refusal !== undefined) {
    const details = { code: refusal.detailCode };
    return reject(id, CLOSE.policyViolation, refusal.message, details, refusal.retryAfterMs);
  }
  return { requestId: id, params, role, scopes: grantedScopes(role, params.scopes, caller) };
}

/** Nodes and probes may be one version behind (the published package's README). */
function lowestProtocol(role: string, mode: string): number {
  if (role === "node") return MIN_NODE_PROTOCOL_VERSION;
  return mode === "probe" ? MIN_PROBE_PROTOCOL_VERSION : MIN_CLIENT_PROTOCOL_VERSION;
}

/** A shared secret makes a client on this machine an operator; a remote one may read. */
function grantedScopes(role: string, requested: readonly string[] | undefined, caller: Caller): string[] {
  if (role !== "operator") return [];
  if (!caller.isLocal) return ["operator.read"];
  const granted = LOCAL_SCOPES.filter((scope) => requested?.includes(scope));
  return granted.length > 0 ? granted : ["operator.read"];
}

function reject(
  id: string,
  code: number,
  message: string,
  details?: { readonly code: string; readonly expectedProtocol?: number },
  retryAfterMs?: number,
): Rejected {
  const error: ErrorShape = {
    code: ErrorCodes.INVALID_REQUEST,
    message,
    ...(details === undefined ? {} : { details }),
    ...(retryAfterMs === undefined ? {} : { retryable: true, retryAfterMs }),
  };
  return { close: { code, reason: message }, response: { id, error } };
}
