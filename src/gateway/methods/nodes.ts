import { ErrorCodes } from "@openclaw/gateway-protocol/gateway-error-details";
import { type Device, grantOf } from "../devices/devices.ts";
import { type ErrorShape, MethodError } from "../frames.ts";
import { permittedParams } from "../nodes/command-policy.ts";
import {
  type NodeInvokeParams,
  type ReadResult,
  readNodeDescribeParams,
  readNodeEventParams,
  readNodeInvokeParams,
  readNodeInvokeResultParams,
  readNodeListParams,
  readNodePendingAckParams,
  readNodePendingDrainParams,
  readNodePendingEnqueueParams,
  readNodeRenameParams,
} from "../schemas.ts";
import type { Session } from "../session.ts";
import { mayManage } from "./devices.ts";
import { ANSWERED_LATER, type GatewayContext, method } from "./index.ts";

export const nodeMethods = {
  "node.list": method({
    scope: "operator.read",
    read: (params) => readNodeListParams(params ?? {}),
    run: (_params, _session, context) => ({
      ts: context.clock.wall(),
      nodes: context.devices
        .list()
        .filter(isNode)
        .map((device) => shown(device, context))
        .sort((a, b) => Number(b.connected) - Number(a.connected) || compare(nameOf(a), nameOf(b))),
    }),
  }),

  "node.describe": method({
    scope: "operator.read",
    read: readNodeDescribeParams,
    run: ({ nodeId }, _session, context) => ({
      ts: context.clock.wall(),
      ...shown(known(nodeId, context), context),
    }),
  }),

  "node.rename": method({
    scope: "operator.pairing",
    read: readNodeRenameParams,
    run: ({ nodeId, displayName }, session, context) => {
      const node = known(nodeId, context);
      if (!mayManage(session, nodeId)) throw new MethodError(UNKNOWN);
      context.devices.put({ ...node, label: displayName });
      return { nodeId, displayName };
    },
  }),

  "node.invoke": method({
    scope: "dynamic",
    isWork: true,
    read: readInvoke,
    run: (params, session, context, request) => {
      const { nodeId, command } = params;
      const permitted = permittedParams(command, params.params, session.scopes);
      known(nodeId, context);
      const node = connected(nodeId, context);
      if (node === undefined) throw new MethodError(NOT_CONNECTED);
      // what it did not declare when it connected it is never asked to do
      if (!node.commands.includes(command)) {
        throw new MethodError({
          code: ErrorCodes.INVALID_REQUEST,
          message: `node command not allowed: the node did not declare ${command}; it has: ${node.commands.join(", ") || "none"}`,
          details: { reason: "command not declared by node", command },
        });
      }
      context.invokes.ask(session, request, { params: { ...params, params: permitted }, node });
      return ANSWERED_LATER;
    },
  }),

  "node.invoke.result": method({
    scope: "node",
    read: readNodeInvokeResultParams,
    run: (result, session, { invokes }) => {
      if (result.nodeId !== session.deviceId)
        throw new MethodError({ code: ErrorCodes.INVALID_REQUEST, message: "nodeId mismatch" });
      return invokes.answer(session, result) ? { ok: true } : { ok: true, ignored: true };
    },
  }),

  "node.event": method({
    scope: "node",
    read: readNodeEventParams,
    run: ({ event }, session, { clock, presenceChanged }) => {
      if (event !== "node.presence.alive") return { ok: true, event, handled: false, reason: "unsupported" };
      session.updatePresence({ ts: clock.wall() });
      presenceChanged();
      return { ok: true, event, handled: true };
    },
  }),

  "node.pending.enqueue": method({
    scope: "operator.write",
    read: readNodePendingEnqueueParams,
    run: ({ nodeId, type, priority, expiresInMs }, _session, context) => {
      known(nodeId, context);
      const asked = { type, ...(priority && { priority }), ...(expiresInMs && { expiresInMs }) };
      // there is nothing here that could wake a node
      return { nodeId, ...context.nodeWork.enqueueItem(nodeId, asked), wakeTriggered: false };
    },
  }),

  "node.pending.drain": method({
    scope: "node",
    read: (params) => readNodePendingDrainParams(params ?? {}),
    run: ({ maxItems }, session, { nodeWork }) => ({
      nodeId: session.deviceId,
      ...nodeWork.drain(session.deviceId!, maxItems),
    }),
  }),

  "node.pending.pull": method({
    scope: "node",
    read: (params) => readNodeListParams(params ?? {}),
    run: (_params, session, { nodeWork }) => ({
      nodeId: session.deviceId,
      actions: nodeWork
        .actions(session.deviceId!)
        .filter(({ command }) => session.commands.includes(command))
        .map((action) => ({ ...action, paramsJSON: action.paramsJSON ?? null })),
    }),
  }),

  "node.pending.ack": method({
    scope: "node",
    read: readNodePendingAckParams,
    run: ({ ids }, session, { nodeWork }) => {
      const nodeId = session.deviceId!;
      nodeWork.acknowledge(nodeId, ids);
      return { nodeId, ackedIds: [...new Set(ids)], remainingCount: nodeWork.actions(nodeId).length };
    },
  }),
};

/** The journal has a copy of it; clients send a UUID. The published schema has no bound. */
const MAX_KEY = 256;

function readInvoke(params: unknown): ReadResult<NodeInvokeParams> {
  const read = readNodeInvokeParams(params);
  if ("problem" in read || read.value.idempotencyKey.length <= MAX_KEY) return read;
  const { length } = read.value.idempotencyKey;
  return { problem: `/idempotencyKey: must not have more than ${MAX_KEY} characters, and has ${length}` };
}

const UNKNOWN: ErrorShape = { code: ErrorCodes.INVALID_REQUEST, message: "unknown nodeId" };

const NOT_CONNECTED: ErrorShape = {
  code: ErrorCodes.UNAVAILABLE,
  message: "node not connected",
  details: {
    code: "NOT_CONNECTED",
    nodeError: { code: "NOT_CONNECTED", message: "node not connected" },
    nodeCommandDispatched: false,
  },
};

function isNode(device: Device): boolean {
  return grantOf(device, "node") !== undefined;
}

function known(nodeId: string, { devices }: GatewayContext): Device {
  const device = devices.get(nodeId);
  if (device !== undefined && isNode(device)) return device;
  throw new MethodError(UNKNOWN);
}

/** The connection it made last. */
function connected(nodeId: string, { sessions }: GatewayContext): Session | undefined {
  return [...sessions()].findLast(
    ({ role, deviceId, link }) => role === "node" && deviceId === nodeId && link.state.closing === undefined,
  );
}

function shown(device: Device, context: GatewayContext) {
  const { deviceId: nodeId, label, displayName, platform, deviceFamily, clientId, clientMode } = device;
  const node = connected(nodeId, context);
  return {
    nodeId,
    displayName: label ?? node?.client.displayName ?? displayName,
    platform: node?.client.platform ?? platform,
    version: node?.client.version,
    deviceFamily: node?.client.deviceFamily ?? deviceFamily,
    modelIdentifier: node?.client.modelIdentifier,
    clientId,
    clientMode,
    remoteIp: node?.caller.address ?? device.remoteIp,
    caps: node?.caps ?? [],
    commands: node?.commands ?? [],
    permissions: node?.permissions,
    connectedAtMs: node?.connectedAt,
    lastSeenAtMs: device.lastSeenAtMs,
    approvedAtMs: device.grants.node!.approvedAtMs,
    paired: true,
    connected: node !== undefined,
  };
}

function nameOf({ displayName, nodeId }: { displayName?: string | undefined; nodeId: string }): string {
  return (displayName ?? nodeId).toLowerCase();
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
