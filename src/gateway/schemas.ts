import {
  ConfigGetParamsSchema,
  ConfigPatchParamsSchema,
  ConfigSchemaParamsSchema,
  ConnectParamsSchema,
  DevicePairApproveParamsSchema,
  DevicePairListParamsSchema,
  DevicePairRejectParamsSchema,
  DevicePairRemoveParamsSchema,
  DevicePairRenameParamsSchema,
  DeviceTokenRevokeParamsSchema,
  DeviceTokenRotateParamsSchema,
  GatewaySuspendPrepareParamsSchema,
  GatewaySuspendResumeParamsSchema,
  GatewaySuspendStatusParamsSchema,
  LogsTailParamsSchema,
  NodeDescribeParamsSchema,
  NodeEventParamsSchema,
  NodeInvokeParamsSchema,
  NodeInvokeResultParamsSchema,
  NodeListParamsSchema,
  NodePendingAckParamsSchema,
  NodePendingDrainParamsSchema,
  NodePendingEnqueueParamsSchema,
  NodeRenameParamsSchema,
  RequestFrameSchema,
} from "@openclaw/gateway-protocol/schema";
import { type Static, type TSchema, Type } from "typebox";
import { Compile, type Validator } from "typebox/compile";
import { Value } from "typebox/value";

/**
 * The published schemas, interpreted: compiling the package's validators costs half a second at start, and only
 * these few are needed.
 */
export type ConnectParams = Static<typeof ConnectParamsSchema>;
export type RequestFrame = Static<typeof RequestFrameSchema>;
export type LogsTailParams = Static<typeof LogsTailParamsSchema>;

export const readRequestFrame = reader<RequestFrame>(RequestFrameSchema);
export const readConnectParams = reader<ConnectParams>(ConnectParamsSchema);
export const readLogsTailParams = reader<LogsTailParams>(LogsTailParamsSchema);
export const readConfigGetParams = reader<Record<string, never>>(ConfigGetParamsSchema);
export type ConfigPatchParams = Static<typeof ConfigPatchParamsSchema>;
export const readConfigSchemaParams = reader<Record<string, never>>(ConfigSchemaParamsSchema);
export const readConfigPatchParams = reader<ConfigPatchParams>(ConfigPatchParamsSchema);
export const readDevicePairListParams = reader<Record<string, never>>(DevicePairListParamsSchema);
export const readDevicePairApproveParams = reader<Static<typeof DevicePairApproveParamsSchema>>(
  DevicePairApproveParamsSchema,
);
export const readDevicePairRejectParams = reader<Static<typeof DevicePairRejectParamsSchema>>(
  DevicePairRejectParamsSchema,
);
export const readDevicePairRemoveParams = reader<Static<typeof DevicePairRemoveParamsSchema>>(
  DevicePairRemoveParamsSchema,
);
export const readDevicePairRenameParams = reader<Static<typeof DevicePairRenameParamsSchema>>(
  DevicePairRenameParamsSchema,
);
export const readDeviceTokenRotateParams = reader<Static<typeof DeviceTokenRotateParamsSchema>>(
  DeviceTokenRotateParamsSchema,
);
export const readDeviceTokenRevokeParams = reader<Static<typeof DeviceTokenRevokeParamsSchema>>(
  DeviceTokenRevokeParamsSchema,
);
export const readGatewaySuspendPrepareParams = reader<Static<typeof GatewaySuspendPrepareParamsSchema>>(
  GatewaySuspendPrepareParamsSchema,
);
export const readGatewaySuspendStatusParams = reader<Static<typeof GatewaySuspendStatusParamsSchema>>(
  GatewaySuspendStatusParamsSchema,
);
export const readGatewaySuspendResumeParams = reader<Static<typeof GatewaySuspendResumeParamsSchema>>(
  GatewaySuspendResumeParamsSchema,
);
export type NodeInvokeParams = Static<typeof NodeInvokeParamsSchema>;
export type NodeInvokeResultParams = Static<typeof NodeInvokeResultParamsSchema>;

export const readNodeListParams = reader<Record<string, never>>(NodeListParamsSchema);
export const readNodeDescribeParams =
  reader<Static<typeof NodeDescribeParamsSchema>>(NodeDescribeParamsSchema);
export const readNodeRenameParams = reader<Static<typeof NodeRenameParamsSchema>>(NodeRenameParamsSchema);
export const readNodeInvokeParams = reader<NodeInvokeParams>(NodeInvokeParamsSchema);
export const readNodeInvokeResultParams = reader<NodeInvokeResultParams>(NodeInvokeResultParamsSchema);
export const readNodeEventParams = reader<Static<typeof NodeEventParamsSchema>>(NodeEventParamsSchema);
export const readNodePendingEnqueueParams = reader<Static<typeof NodePendingEnqueueParamsSchema>>(
  NodePendingEnqueueParamsSchema,
);
export const readNodePendingDrainParams = reader<Static<typeof NodePendingDrainParamsSchema>>(
  NodePendingDrainParamsSchema,
);
export const readNodePendingAckParams =
  reader<Static<typeof NodePendingAckParamsSchema>>(NodePendingAckParamsSchema);

/** `system-event` has a published validator but no exported schema; these are the fields of it that are used. */
const systemEventParams = Type.Object({
  text: Type.String({ minLength: 1 }),
  host: Type.Optional(Type.String({ minLength: 1 })),
  mode: Type.Optional(Type.String({ minLength: 1 })),
  lastInputSeconds: Type.Optional(Type.Number({ minimum: 0 })),
  reason: Type.Optional(Type.String({ minLength: 1 })),
  tags: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
});
export type SystemEventParams = Static<typeof systemEventParams>;
export const readSystemEventParams = reader<SystemEventParams>(systemEventParams);

/** `diagnostics.stability` has neither; what the real gateway takes. */
const stabilityParams = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
  type: Type.Optional(Type.String({ minLength: 1 })),
  sinceSeq: Type.Optional(Type.Integer({ minimum: 0 })),
});
export const readStabilityParams = reader<Static<typeof stabilityParams>>(stabilityParams);

export const readEmptyParams = reader<Record<string, unknown>>(Type.Object({}));

export type ReadResult<T> = { readonly value: T } | { readonly problem: string };

/**
 * Makes a function that returns the value if it fits the schema, else what is wrong with it. Schemas are compiled (0.3 µs for a request's
 * frame, 20 µs without), each when it is first used: that takes 2 to 4 ms.
 */
function reader<T>(schema: TSchema): (value: unknown) => ReadResult<T> {
  let compiled: Validator | undefined;
  return (value) => {
    compiled ??= Compile(schema);
    if (compiled.Check(value)) return { value: value as T };
    const [first] = Value.Errors(schema, value);
    const where = first?.instancePath || "(root)";
    return { problem: `${where}: ${first?.message ?? "invalid"}` };
  };
}
