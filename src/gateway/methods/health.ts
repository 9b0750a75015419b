import { VERSION } from "../../core/version.ts";
import { readEmptyParams, readStabilityParams } from "../schemas.ts";
import { method } from "./index.ts";

export const healthMethods = {
  health: method({
    scope: "operator.read",
    read: (params) => readEmptyParams(params ?? {}),
    run: (_params, _session, context) => context.health(),
  }),

  "diagnostics.stability": method({
    scope: "operator.read",
    read: (params) => readStabilityParams(params ?? {}),
    run: (params, _session, { stability }) => stability.snapshot(params),
  }),

  status: method({
    scope: "operator.read",
    read: (params) => readEmptyParams(params ?? {}),
    run: (_params, session, context) => {
      const modules = context.modules.inspect();
      return {
        version: VERSION,
        pid: context.process.pid,
        bootId: context.bootId,
        generation: context.settings.generation,
        uptimeMs: Math.round(context.clock.now() - context.startedAt),
        connections: context.countSessions(),
        port: context.settings.port,
        rssBytes: context.process.rssBytes(),
        you: { connId: session.connId, role: session.role, scopes: session.scopes },
        ...(modules.length === 0 ? {} : { modules }),
      };
    },
  }),
};
