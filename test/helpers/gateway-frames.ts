import assert from "node:assert/strict";
import { afterEach } from "node:test";
import { isDeepStrictEqual } from "node:util";
import {
  ConnectErrorDetailCodes,
  readConnectErrorRecoveryAdvice,
  readPairingConnectErrorDetails,
} from "@openclaw/gateway-protocol/connect-error-details";
import { isGatewayEventFrame, isGatewayResponseFrame } from "@openclaw/gateway-protocol/frame-guards";
import { ErrorCodes, GatewayErrorDetailCodes } from "@openclaw/gateway-protocol/gateway-error-details";
import {
  ConfigSchemaResponseSchema,
  DevicePairRequestedEventSchema,
  DevicePairResolvedEventSchema,
  DeviceTokenRotateResultSchema,
  EventFrameSchema,
  GatewayErrorDetailsSchema,
  GatewaySuspendPrepareResultSchema,
  GatewaySuspendResumeResultSchema,
  GatewaySuspendStatusResultSchema,
  GatewaySuspensionSchema,
  HelloOkSchema,
  LogsTailResultSchema,
  NodeEventResultSchema,
  NodeInvokeRequestEventSchema,
  NodePendingDrainResultSchema,
  NodePendingEnqueueResultSchema,
  PresenceEntrySchema,
  ResponseFrameSchema,
  ShutdownEventSchema,
  SnapshotSchema,
  TickEventSchema,
} from "@openclaw/gateway-protocol/schema";
import { type Static, type TSchema, Type } from "typebox";
import { Compile, type Validator } from "typebox/compile";
import { Value } from "typebox/value";

export type EventFrame = Static<typeof EventFrameSchema>;
export type ResponseFrame = Static<typeof ResponseFrameSchema>;
export type Frame = EventFrame | ResponseFrame;

const Health = SnapshotSchema.properties.health;
const PresenceList = Type.Array(PresenceEntrySchema);

/** The package has no schema for it; the reference client insists on both fields. */
const Challenge = Type.Object(
  { nonce: Type.String({ minLength: 1 }), ts: Type.Integer({ minimum: 0 }) },
  { additionalProperties: false },
);

/** The published payload of every event the built-in gateway has. */
export const eventPayloads: Readonly<Record<string, TSchema>> = {
  "connect.challenge": Challenge,
  tick: TickEventSchema,
  health: Health,
  presence: Type.Object({ presence: PresenceList }, { additionalProperties: false }),
  shutdown: ShutdownEventSchema,
  "device.pair.requested": DevicePairRequestedEventSchema,
  "device.pair.resolved": DevicePairResolvedEventSchema,
  "gateway.suspension": GatewaySuspensionSchema,
  "node.invoke.request": NodeInvokeRequestEventSchema,
  // the package has none; what the real gateway sends and its nodes read
  "node.invoke.cancel": Type.Object({ invokeId: Type.String(), nodeId: Type.String() }),
};

/** The published results; the package has none for the other methods. */
export const results: Readonly<Record<string, TSchema>> = {
  connect: HelloOkSchema,
  health: Health,
  "system-presence": PresenceList,
  "logs.tail": LogsTailResultSchema,
  "config.schema": ConfigSchemaResponseSchema,
  "device.token.rotate": DeviceTokenRotateResultSchema,
  "gateway.suspend.prepare": GatewaySuspendPrepareResultSchema,
  "gateway.suspend.status": GatewaySuspendStatusResultSchema,
  "gateway.suspend.resume": GatewaySuspendResumeResultSchema,
  "node.event": NodeEventResultSchema,
  "node.pending.drain": NodePendingDrainResultSchema,
  "node.pending.enqueue": NodePendingEnqueueResultSchema,
};

const problems: string[] = [];

/** Names of methods that were answered (`+`) and refused (`-`), and of events. */
export const seen = new Set<string>();

/** What methods were asked for, by request id: a response alone does not say what it should look like. */
const asked = new Map<string, string>();

/** For clients: say what was sent … */
export function sawRequest(frame: { readonly id?: unknown; readonly method?: unknown }): void {
  if (typeof frame.id === "string" && typeof frame.method === "string") asked.set(frame.id, frame.method);
}

/** … and show every frame that came. What does not fit the published schemas fails the test that is running. */
export function sawFrame(text: string): Frame {
  const frame: unknown = JSON.parse(text);
  const problem = problemOf(frame);
  if (problem !== undefined) problems.push(`${problem}: ${text.slice(0, 500)}`);
  return frame as Frame;
}

/** How a frame breaks the protocol; undefined if it does not. */
export function problemOf(frame: unknown): string | undefined {
  if (fits(EventFrameSchema, frame) && isGatewayEventFrame(frame)) return problemOfEvent(frame);
  if (fits(ResponseFrameSchema, frame) && isGatewayResponseFrame(frame)) return problemOfResponse(frame);
  return "neither an EventFrame nor a ResponseFrame";
}

/** Call once in a file: from then on each of its tests fails if a frame broke the protocol. */
export function checkFramesOfEachTest(): void {
  afterEach(() => {
    const found = problems.splice(0);
    assert.deepEqual(found, [], "frames that break the published protocol");
  });
}

function problemOfEvent(frame: EventFrame): string | undefined {
  seen.add(frame.event);
  const schema = eventPayloads[frame.event];
  return schema === undefined ? "an event nobody announced" : firstError(schema, frame.payload);
}

function problemOfResponse(frame: ResponseFrame): string | undefined {
  const method = asked.get(frame.id) ?? "";
  seen.add(`${frame.ok ? "+" : "-"} ${method}`);
  if (!frame.ok)
    return frame.error === undefined ? "a refusal without an error" : problemOfError(frame.error);
  if (frame.error !== undefined) return "an error in a response that is ok";
  const schema = results[method];
  return schema === undefined ? undefined : firstError(schema, frame.payload);
}

/** Details are open in the schema of a frame: those whose code is published have a schema, or a reader that clients use. */
function problemOfError({ code, details }: NonNullable<ResponseFrame["error"]>): string | undefined {
  if (!(code in ErrorCodes)) return `an error code that is not published: ${code}`;
  const told = details as { code?: string; recommendedNextStep?: string } | undefined;
  if (told?.code === undefined) return undefined;
  if (told.code in GatewayErrorDetailCodes) {
    const its = GatewayErrorDetailsSchema.anyOf.find(({ properties }) => properties.code.const === told.code);
    return firstError(its!, told);
  }
  if (told.code in ConnectErrorDetailCodes) return problemOfRefusal(told);
  return NODE_DETAIL_CODES.includes(told.code)
    ? undefined
    : `a detail code that is not published: ${told.code}`;
}

function problemOfRefusal(told: { code?: string; recommendedNextStep?: string }): string | undefined {
  const { recommendedNextStep } = readConnectErrorRecoveryAdvice(told);
  if (recommendedNextStep !== told.recommendedNextStep) return "an advice that clients do not know";
  if (told.code !== "PAIRING_REQUIRED") return undefined;
  const read = readPairingConnectErrorDetails(told);
  return isDeepStrictEqual(read, told)
    ? undefined
    : `clients read this in its details: ${JSON.stringify(read)}`;
}

/** The real gateway's, of node.invoke; the package has no list of them. */
const NODE_DETAIL_CODES = ["NOT_CONNECTED", "QUEUED_UNTIL_FOREGROUND", "APPROVALS_UNAVAILABLE"];

const validators = new Map<TSchema, Validator>();

/** Compiled: a list of 200 clients that comes to each of them is otherwise all that a test does. */
function fits(schema: TSchema, value: unknown): boolean {
  let validator = validators.get(schema);
  if (validator === undefined) {
    validator = Compile(schema);
    validators.set(schema, validator);
  }
  return validator.Check(value);
}

function firstError(schema: TSchema, value: unknown): string | undefined {
  if (fits(schema, value)) return undefined;
  const [error] = Value.Errors(schema, value);
  return error === undefined ? undefined : `${error.instancePath || "(payload)"} ${error.message}`;
}
