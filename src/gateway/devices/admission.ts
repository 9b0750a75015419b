import {
  buildPairingConnectCloseReason,
  buildPairingConnectErrorDetails,
  buildPairingConnectErrorMessage,
} from "@openclaw/gateway-protocol/connect-error-details";
import type { Admission } from "../auth.ts";
import type { Caller } from "../handshake.ts";
import type { ConnectParams } from "../schemas.ts";
import { missingScope, type Role } from "../scopes.ts";
import { clientOf, type Device, type Devices, grantOf, type PairingRequest } from "./devices.ts";

export interface Asking {
  readonly params: ConnectParams;
  readonly role: Role;
  readonly caller: Caller;
  /** How it proved itself, beside its key. */
  readonly admission: Admission;
  /** Whether a device is connected. */
  readonly isHere: (deviceId: string) => boolean;
  /** Wall-clock milliseconds. */
  readonly now: number;
}

export interface AdmittedDevice {
  readonly scopes: readonly string[];
  /** Its own, or a new one, which is told this once. */
  readonly token?: string;
  readonly issuedAtMs?: number;
  /** Devices that are forgotten for it. */
  readonly superseded?: readonly string[];
}

export interface NotPaired {
  readonly message: string;
  readonly details: object;
  readonly closeReason: string;
  /** Nobody was told of it yet. */
  readonly requested?: PairingRequest;
}

/** Within a commit: lets in a device that proved its key, or asks for its approval. */
export function admitDevice(devices: Devices, asking: Asking): AdmittedDevice | NotPaired {
  const { params, role, caller, admission, isHere, now } = asking;
  const { id, publicKey } = params.device!;
  const scopes = scopesAskedFor(role, params.scopes);
  const known = devices.get(id);
  const reason = lackOf(known, asking, scopes);
  if (reason === undefined) return letIn(devices, { ...known!, lastSeenAtMs: now }, asking, scopes);
  const { platform, deviceFamily, displayName, id: clientId, mode: clientMode } = params.client;
  const wanted: Omit<PairingRequest, "requestId"> = {
    ...clientOf({
      platform,
      clientId,
      clientMode,
      ...(deviceFamily && { deviceFamily }),
      ...(displayName && { displayName }),
    }),
    deviceId: id,
    publicKey,
    role,
    roles: [role],
    scopes,
    remoteIp: caller.address,
    isRepair: known !== undefined,
    ts: now,
  };
  // who is on this machine and knows its secret needs nobody's word, unless that was taken back
  const isOwn = caller.isLocal && admission.by !== "device-token";
  if (isOwn && known?.grants[role]?.revokedAtMs === undefined) {
    const device = devices.approve(wanted, { now, via: "silent" });
    const superseded = known === undefined ? devices.supersede(device, { now, isHere }) : [];
    return { ...letIn(devices, device, asking, scopes), superseded };
  }
  const { request, isNew } = devices.ask(wanted);
  const approved = Object.keys(known?.grants ?? {}) as Role[];
  return {
    message: buildPairingConnectErrorMessage(reason),
    details: buildPairingConnectErrorDetails({
      reason,
      requestId: request.requestId,
      deviceId: id,
      requestedRole: role,
      requestedScopes: [...scopes],
      approvedRoles: approved.filter((one) => grantOf(known, one) !== undefined),
      approvedScopes: [...(grantOf(known, role)?.scopes ?? [])],
    }),
    closeReason: buildPairingConnectCloseReason({ reason, requestId: request.requestId }),
    ...(isNew ? { requested: request } : {}),
  };
}

function scopesAskedFor(role: Role, asked: readonly string[] | undefined): readonly string[] {
  if (role === "node") return [];
  return asked === undefined || asked.length === 0 ? ["operator.read"] : asked;
}

/** What the device would have to be approved for; undefined if it may come in as it asks to. */
function lackOf(known: Device | undefined, { params, role, admission }: Asking, scopes: readonly string[]) {
  if (known === undefined) return "not-paired";
  const grant = grantOf(known, role);
  if (grant === undefined) return "role-upgrade";
  const granted = admission.by === "device-token" ? grant.token!.scopes : grant.scopes;
  if (missingScope(granted, scopes) !== undefined) return "scope-upgrade";
  const { id, mode, platform, deviceFamily } = params.client;
  const isSameClient = known.clientId === id && known.clientMode === mode;
  const isSame = known.platform === platform && known.deviceFamily === deviceFamily;
  return isSame || !isSameClient ? undefined : "metadata-upgrade";
}

function letIn(
  devices: Devices,
  device: Device,
  { role, admission, now }: Asking,
  scopes: readonly string[],
): AdmittedDevice {
  const grant = device.grants[role]!;
  if (admission.by === "device-token") {
    const token = { ...grant.token!, lastUsedAtMs: now };
    devices.setGrant(device, role, { ...grant, token });
    return { scopes, token: admission.token, issuedAtMs: token.rotatedAtMs ?? token.createdAtMs };
  }
  // one that was never used may not have come
  if (grant.token?.lastUsedAtMs === undefined)
    return {
      scopes,
      token: devices.issueToken(device, role, { scopes: grant.token?.scopes ?? grant.scopes, now }),
      issuedAtMs: now,
    };
  devices.put(device);
  return { scopes };
}
