import { Type } from "typebox";
import { Value } from "typebox/value";
import { VERSION } from "../../core/version.ts";
import { readEmptyParams } from "../schemas.ts";
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
