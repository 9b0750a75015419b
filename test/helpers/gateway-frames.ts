import assert from "node:assert/strict";
import { afterEach } from "node:test";
import {
  ConfigSchemaResponseSchema,
  DevicePairRequestedEventSchema,
  DevicePairResolvedEventSchema,
  DeviceTokenRotateResultSchema,
  EventFrameSchema,
  GatewaySuspendPrepareResultSchema,
  GatewaySuspendResumeResultSchema,
  GatewaySuspendStatusResultSchema,
  GatewaySuspensionSchema,
  HelloOkSchema,
  LogsTailResultSchema,
  MissingScopeErrorDetailsSchema,
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
const eventPayloads: Readonly<Record<string, TSchema>> = {
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
const results: Readonly<Record<string, TSchema>> = {
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

/** What methods were asked for, by request id: a response alone does not say what it should look like. */
const asked = new Map<string, string>();

/** For clients: say what was sent … */
export function sawRequest(frame: { readonly id?: unknown; readonly method?: unknown }): void {
  if (typeof frame.id === "string" && typeof frame.method === "string") asked.set(frame.id, frame.method);
}

/** … and show every frame that came. What does not fit the published schemas fails the test that is running. */
export function sawFrame(text: string): Frame {
  const frame: unknown = JSON.parse(text);
  const problem = Value.Check(EventFrameSchema, frame)
    ? problemOfEvent(frame)
    : Value.Check(ResponseFrameSchema, frame)
      ? problemOfResponse(frame)
      : "neither an EventFrame nor a ResponseFrame";
  if (problem !== undefined) problems.push(`${problem}: ${text.slice(0, 500)}`);
  return frame as Frame;
}

/** Call once in a file: from then on each of its tests fails if a frame broke the protocol. */
export function checkFramesOfEachTest(): void {
  afterEach(() => {
    const found = problems.splice(0);
    assert.deepEqual(found, [], "frames that break the published protocol");
  });
}

function problemOfEvent(frame: EventFrame): string | undefined {
  const schema = eventPayloads[frame.event];
  return schema === undefined ? "an event nobody announced" : firstError(schema, frame.payload);
}

function problemOfResponse(frame: ResponseFrame): string | undefined {
  if (!frame.ok) {
    if (frame.error === undefined) return "a refusal without an error";
    const isMissingScope = (frame.error.details as { code?: unknown } | undefined)?.code === "MISSING_SCOPE";
    return isMissingScope ? firstError(MissingScopeErrorDetailsSchema, frame.error.details) : undefined;
  }
  if (frame.error !== undefined) return "an error in a response that is ok";
  const schema = results[asked.get(frame.id) ?? ""];
  return schema === undefined ? undefined : firstError(schema, frame.payload);
}

function firstError(schema: TSchema, value: unknown): string | undefined {
  const [error] = Value.Errors(schema, value);
  return error === undefined ? undefined : `${error.instancePath || "(payload)"} ${error.message}`;
}
