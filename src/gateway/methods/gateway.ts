import { Type } from "typebox";
import { Value } from "typebox/value";
import { VERSION } from "../../core/version.ts";
import {
  readEmptyParams,
  readGatewaySuspendPrepareParams,
  readGatewaySuspendResumeParams,
  readGatewaySuspendStatusParams,
} from "../schemas.ts";
import { method } from "./index.ts";

const restartParams = Type.Object({ reason: Type.Optional(Type.String({ maxLength: 200 })) });

export const gatewayMethods = {
  "gateway.identity.get": method({
    scope: "operator.read",
    read: (params) => readEmptyParams(params ?? {}),
    run: (_params, _session, context) => ({
      name: "clawkit",
      version: VERSION,
      bootId: context.bootId,
      generation: context.settings.generation,
    }),
  }),

  "gateway.suspend.prepare": method({
    scope: "operator.admin",
    read: readGatewaySuspendPrepareParams,
    run: ({ requestId, drain }, _session, { suspension }) =>
      suspension.prepare({ requestId, ...(drain && { drain }) }),
  }),

  "gateway.suspend.status": method({
    scope: "operator.read",
    read: readGatewaySuspendStatusParams,
    run: ({ suspensionId }, _session, { suspension }) => suspension.status(suspensionId),
  }),

  "gateway.suspend.resume": method({
    scope: "operator.admin",
    read: readGatewaySuspendResumeParams,
    run: ({ suspensionId }, _session, { suspension }) => suspension.resume(suspensionId),
  }),

  "gateway.restart.request": method<{ reason?: string }>({
    scope: "operator.admin",
    read: (params) =>
      Value.Check(restartParams, params ?? {})
        ? { value: (params ?? {}) as { reason?: string } }
        : { problem: "reason must be a text of at most 200 characters" },
    run: (params, session, context) => {
      const reason = params.reason ?? `asked for by ${session.client.id}`;
      // the answer goes out before the drain begins
      setImmediate(() => context.requestRestart(reason));
      return { ok: true, result: "scheduled", reason };
    },
  }),
};
