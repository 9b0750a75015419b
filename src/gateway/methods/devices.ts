import { ErrorCodes } from "@openclaw/gateway-protocol/gateway-error-details";
import { type Device, grantOf, type PairingRequest } from "../devices/devices.ts";
import { MethodError } from "../frames.ts";
import {
  readDevicePairApproveParams,
  readDevicePairListParams,
  readDevicePairRejectParams,
  readDevicePairRemoveParams,
  readDevicePairRenameParams,
  readDeviceTokenRevokeParams,
  readDeviceTokenRotateParams,
} from "../schemas.ts";
import { includesScope, missingScope, missingScopeError, type Role } from "../scopes.ts";
import { type Session, WithSecret } from "../session.ts";
import { type GatewayContext, method } from "./index.ts";

/**
 * Who may approve devices may do so for all of them, unless it is a device itself: then, without admin, it manages none but
 * itself, and no role but its own kind (as the real gateway has it).
 */
export const deviceMethods = {
  "device.pair.list": method({
    scope: "operator.pairing",
    read: (params) => readDevicePairListParams(params ?? {}),
    run: (_params, session, { devices, clock, sessions }) => {
      const isShown = ({ deviceId }: { deviceId: string }) => mayManage(session, deviceId);
      const connected = new Set([...sessions()].map(({ deviceId }) => deviceId));
      return {
        pending: devices.pending(clock.wall()).filter(isShown),
        paired: devices
          .list()
          .filter(isShown)
          .map((device) => shown(device, connected.has(device.deviceId))),
      };
    },
  }),

  "device.pair.approve": method({
    scope: "operator.pairing",
    read: readDevicePairApproveParams,
    run: ({ requestId }, session, context) => {
      const request = pendingOf(requestId, session, context);
      const missing =
        request.role === "operator"
          ? missingScope(session.scopes, request.scopes)
          : missingScope(session.scopes, ["operator.admin"]);
      if (missing !== undefined) throw new MethodError(missingScopeError(missing));
      const { devices, clock, log } = context;
      devices.settle(request);
      const device = devices.approve(request, { now: clock.wall(), via: "owner" });
      log(`device ${device.deviceId} was approved as ${request.role}`);
      tellResolved(request, "approved", context);
      return { requestId, device: shown(device, false) };
    },
  }),

  "device.pair.reject": method({
    scope: "operator.pairing",
    read: readDevicePairRejectParams,
    run: ({ requestId }, session, context) => {
      const request = pendingOf(requestId, session, context);
      context.devices.settle(request);
      tellResolved(request, "rejected", context);
      return { requestId, deviceId: request.deviceId };
    },
  }),

  "device.pair.remove": method({
    scope: "operator.pairing",
    read: readDevicePairRemoveParams,
    run: ({ deviceId }, session, { devices, nodeWork, showOut, log }) => {
      const device = managed(devices.get(deviceId), session);
      devices.remove(deviceId);
      nodeWork.clear(deviceId);
      showOut(session, (one) => one.deviceId === deviceId);
      log(`device ${device.deviceId} was removed`);
      return { deviceId };
    },
  }),

  "device.pair.rename": method({
    scope: "operator.pairing",
    read: readDevicePairRenameParams,
    run: ({ deviceId, label }, session, { devices }) => {
      devices.put({ ...managed(devices.get(deviceId), session), label });
      return { deviceId, label };
    },
  }),

  "device.token.rotate": method({
    scope: "operator.pairing",
    read: readDeviceTokenRotateParams,
    run: ({ deviceId, role, scopes }, session, { devices, clock, showOut, log }) => {
      const device = managed(devices.get(deviceId), session);
      const grant = grantOf(device, role as Role);
      if (!isRole(role) || grant === undefined) throw new MethodError(DENIED);
      const wanted = scopes ?? grant.token?.scopes ?? grant.scopes;
      // nobody hands out what was not approved, or what they do not have themselves
      if (missingScope(grant.scopes, wanted) !== undefined) throw new MethodError(DENIED);
      const missing = role === "operator" ? missingScope(session.scopes, wanted) : undefined;
      if (missing !== undefined) throw new MethodError(missingScopeError(missing));
      const now = clock.wall();
      const token = devices.issueToken(device, role, { scopes: wanted, now });
      showOut(session, (one) => one.deviceId === deviceId && one.role === role);
      log(`the token of device ${deviceId} as ${role} was rotated`);
      const rotated = { deviceId, role, scopes: wanted, rotatedAtMs: now };
      return session.deviceId === deviceId
        ? new WithSecret({ ...rotated, token, tokenDelivery: "in-band" }, rotated)
        : { ...rotated, tokenDelivery: "withheld-cross-device" };
    },
  }),

  "device.token.revoke": method({
    scope: "operator.pairing",
    read: readDeviceTokenRevokeParams,
    run: ({ deviceId, role }, session, { devices, nodeWork, clock, showOut, log }) => {
      const device = managed(devices.get(deviceId), session);
      const grant = device.grants[role as Role];
      if (!isRole(role) || grant === undefined) throw new MethodError(DENIED);
      // nobody takes from another what they do not have themselves
      const missing = role === "operator" ? missingScope(session.scopes, grant.scopes) : undefined;
      if (missing !== undefined) throw new MethodError(missingScopeError(missing));
      const { token: _, ...rest } = grant;
      const revokedAtMs = grant.revokedAtMs ?? clock.wall();
      devices.setGrant(device, role, { ...rest, revokedAtMs });
      if (role === "node") nodeWork.clear(deviceId);
      showOut(session, (one) => one.deviceId === deviceId && one.role === role);
      log(`the token of device ${deviceId} as ${role} was revoked`);
      return { deviceId, role, revokedAtMs };
    },
  }),
};

const DENIED = {
  code: ErrorCodes.INVALID_REQUEST,
  message: "the device has no such role, or not these scopes",
};

/** A name such as `__proto__` is no role, although every object has something of that name. */
function isRole(name: string): name is Role {
  return name === "operator" || name === "node";
}

export function mayManage(session: Session, deviceId: string): boolean {
  const isDevice = session.deviceId !== undefined;
  return !isDevice || session.deviceId === deviceId || includesScope(session.scopes, "operator.admin");
}

/** Others' devices are as unknown as those that do not exist. A node's role is an admin's to take. */
function managed(device: Device | undefined, session: Session): Device {
  if (device === undefined || !mayManage(session, device.deviceId))
    throw new MethodError({ code: ErrorCodes.INVALID_REQUEST, message: "unknown deviceId" });
  if (device.grants.node !== undefined && !includesScope(session.scopes, "operator.admin"))
    throw new MethodError(missingScopeError("operator.admin"));
  return device;
}

function pendingOf(requestId: string, session: Session, { devices, clock }: GatewayContext): PairingRequest {
  const request = devices.pending(clock.wall()).find((one) => one.requestId === requestId);
  if (request !== undefined && mayManage(session, request.deviceId)) return request;
  throw new MethodError({ code: ErrorCodes.INVALID_REQUEST, message: "unknown requestId" });
}

function tellResolved({ requestId, deviceId }: PairingRequest, decision: string, context: GatewayContext) {
  const ts = context.clock.wall();
  context.tell("operator.pairing", "device.pair.resolved", { requestId, deviceId, decision, ts });
}

/** Without the digests of its tokens. */
function shown({ grants, ...device }: Device, connected: boolean) {
  const granted = Object.entries(grants).filter(([, { revokedAtMs }]) => revokedAtMs === undefined);
  return {
    ...device,
    roles: granted.map(([role]) => role),
    scopes: granted.flatMap(([, { scopes }]) => scopes),
    connected,
    tokens: Object.entries(grants).map(([role, { token, scopes, revokedAtMs }]) => ({
      role,
      scopes: token?.scopes ?? scopes,
      ...(token === undefined ? {} : { createdAtMs: token.createdAtMs }),
      ...(token?.rotatedAtMs === undefined ? {} : { rotatedAtMs: token.rotatedAtMs }),
      ...(token?.lastUsedAtMs === undefined ? {} : { lastUsedAtMs: token.lastUsedAtMs }),
      ...(revokedAtMs === undefined ? {} : { revokedAtMs }),
    })),
  };
}
