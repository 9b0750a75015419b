import { ConnectErrorDetailCodes } from "@openclaw/gateway-protocol/connect-error-details";
import { ErrorCodes } from "@openclaw/gateway-protocol/gateway-error-details";
import {
  MIN_CLIENT_PROTOCOL_VERSION,
  MIN_NODE_PROTOCOL_VERSION,
  MIN_PROBE_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
} from "@openclaw/gateway-protocol/version";
import { CLOSE } from "../core/close-codes.ts";
import type { Authenticator, AuthRefusal } from "./auth.ts";
import { type Asking, admitDevice } from "./devices/admission.ts";
import { problemOfProof } from "./devices/device-proof.ts";
import { type Devices, grantOf, isToken, type PairingRequest } from "./devices/devices.ts";
import type { ErrorShape } from "./frames.ts";
import { type ConnectParams, readConnectParams, readRequestFrame } from "./schemas.ts";
import type { Role } from "./scopes.ts";

/** Who connects, as the edge reported it. */
export interface Caller {
  readonly address: string;
  readonly isLocal: boolean;
}

export interface Accepted {
  readonly requestId: string;
  readonly params: ConnectParams;
  readonly role: Role;
  readonly scopes: readonly string[];
  /** Of a device: what lets it in again. */
  readonly deviceToken?: { readonly token: string; readonly issuedAtMs: number };
  /** Devices that are forgotten for it. */
  readonly superseded?: readonly string[];
}

/** How a connection that did not get in is closed; `response` is sent before, if the request had an id. */
export interface Rejected {
  readonly close: { readonly code: number; readonly reason: string };
  readonly response?: { readonly id: string; readonly error: ErrorShape };
  /** A device that asks to be paired: those who may approve it are to be told. */
  readonly requested?: PairingRequest;
}

export interface Judges {
  readonly caller: Caller;
  /** Of the link's challenge. */
  readonly nonce: string;
  readonly auth: Authenticator;
  readonly devices: Devices;
  /** Whether a device is connected. */
  readonly isHere: (deviceId: string) => boolean;
  /** Wall-clock milliseconds. */
  readonly now: number;
}

const LOCAL_SCOPES = [
  "operator.read",
  "operator.write",
  "operator.admin",
  "operator.approvals",
  "operator.pairing",
];

/** Within a commit: judges the first frame of a connection. The codes and words are the real gateway's. */
export function judgeFirstFrame(text: string, judges: Judges): Accepted | Rejected {
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
  return judgeConnect(id, params.value, judges);
}

function judgeConnect(id: string, params: ConnectParams, judges: Judges): Accepted | Rejected {
  const { caller, nonce, auth, devices, isHere, now } = judges;
  const role = params.role ?? "operator";
  if (role !== "operator" && role !== "node") return reject(id, CLOSE.policyViolation, "invalid role");
  const lowest = lowestProtocol(role, params.client.mode);
  if (params.maxProtocol < lowest || params.minProtocol > PROTOCOL_VERSION) {
    return reject(id, CLOSE.protocolError, "protocol mismatch", {
      details: { code: ConnectErrorDetailCodes.PROTOCOL_MISMATCH, expectedProtocol: PROTOCOL_VERSION },
    });
  }
  const { device } = params;
  const problem = device === undefined ? undefined : problemOfProof(params, { nonce, now });
  if (problem !== undefined)
    return reject(id, CLOSE.policyViolation, problem.message, { details: problem.details });
  const grant = device === undefined ? undefined : grantOf(devices.get(device.id), role);
  const proven =
    device === undefined ? undefined : { id: device.id, isToken: (token: string) => isToken(token, grant) };
  // what a proxy calls its client may be an address of this machine: its guesses are not ours
  const from = caller.isLocal ? "this machine" : caller.address;
  const admission = auth.admit(from, params.auth ?? {}, proven);
  if ("message" in admission) {
    const { message, retryAfterMs } = admission;
    const details = hintsOf(admission, params);
    return reject(id, CLOSE.policyViolation, message, { details, ...(retryAfterMs && { retryAfterMs }) });
  }
  if (device !== undefined) return judgeDevice(id, devices, { params, role, caller, admission, isHere, now });
  if (role === "node") {
    return reject(id, CLOSE.policyViolation, "device identity required", {
      code: ErrorCodes.NOT_PAIRED,
      details: { code: ConnectErrorDetailCodes.DEVICE_IDENTITY_REQUIRED },
    });
  }
  return { requestId: id, params, role, scopes: grantedScopes(params.scopes, caller) };
}

function judgeDevice(id: string, devices: Devices, asking: Asking): Accepted | Rejected {
  const verdict = admitDevice(devices, asking);
  if ("message" in verdict) {
    const { message, details, closeReason, requested } = verdict;
    return {
      ...reject(id, CLOSE.policyViolation, message, { code: ErrorCodes.NOT_PAIRED, details }),
      close: { code: CLOSE.policyViolation, reason: closeReason },
      ...(requested && { requested }),
    };
  }
  const { scopes, token, issuedAtMs, superseded = [] } = verdict;
  return {
    requestId: id,
    params: asking.params,
    role: asking.role,
    scopes,
    ...(token !== undefined && { deviceToken: { token, issuedAtMs: issuedAtMs! } }),
    ...(superseded.length > 0 && { superseded }),
  };
}

/** What a client can do about it, as the real gateway says it. */
function hintsOf({ authReason, detailCode }: AuthRefusal, { device, auth }: ConnectParams) {
  if (authReason === "device_required") return { code: detailCode };
  const canRetryWithDeviceToken =
    authReason === "token_mismatch" && device !== undefined && !auth?.deviceToken;
  return {
    code: detailCode,
    authReason,
    canRetryWithDeviceToken,
    recommendedNextStep: canRetryWithDeviceToken ? "retry_with_device_token" : nextStepOf(authReason),
  };
}

function nextStepOf(authReason: string): string {
  if (authReason === "rate_limited") return "wait_then_retry";
  return authReason.endsWith("_missing") ? "update_auth_configuration" : "update_auth_credentials";
}

/** Nodes and probes may be one version behind (the published package's README). */
function lowestProtocol(role: string, mode: string): number {
  if (role === "node") return MIN_NODE_PROTOCOL_VERSION;
  return mode === "probe" ? MIN_PROBE_PROTOCOL_VERSION : MIN_CLIENT_PROTOCOL_VERSION;
}

/** A shared secret makes a client on this machine an operator; a remote one may read. */
function grantedScopes(requested: readonly string[] | undefined, caller: Caller): string[] {
  if (!caller.isLocal) return ["operator.read"];
  const granted = LOCAL_SCOPES.filter((scope) => requested?.includes(scope));
  return granted.length > 0 ? granted : ["operator.read"];
}

function reject(
  id: string,
  closeCode: number,
  message: string,
  { code, details, retryAfterMs }: Partial<Pick<ErrorShape, "code" | "details" | "retryAfterMs">> = {},
): Rejected {
  const error: ErrorShape = {
    code: code ?? ErrorCodes.INVALID_REQUEST,
    message,
    ...(details === undefined ? {} : { details }),
    ...(retryAfterMs === undefined ? {} : { retryable: true, retryAfterMs }),
  };
  return { close: { code: closeCode, reason: message }, response: { id, error } };
}
