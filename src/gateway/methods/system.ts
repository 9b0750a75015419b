import { readEmptyParams, readSystemEventParams } from "../schemas.ts";
import { method } from "./index.ts";

export const systemMethods = {
  "system-presence": method({
    scope: "operator.read",
    read: (params) => readEmptyParams(params ?? {}),
    run: (_params, _session, context) => context.presence(),
  }),

  // of agents, which only the real gateway has
  "last-heartbeat": method({
    scope: "operator.read",
    read: (params) => readEmptyParams(params ?? {}),
    run: () => null,
  }),

  "system-event": method({
    scope: "operator.admin",
    read: readSystemEventParams,
    run: (params, session, context) => {
      const { text, host, mode, lastInputSeconds, reason, tags } = params;
      session.updatePresence({
        ts: context.clock.wall(),
        text,
        ...(host === undefined ? {} : { host }),
        ...(mode === undefined ? {} : { mode }),
        ...(lastInputSeconds === undefined ? {} : { lastInputSeconds: Math.floor(lastInputSeconds) }),
        ...(reason === undefined ? {} : { reason }),
        ...(tags === undefined ? {} : { tags }),
      });
      context.presenceChanged();
      return { ok: true };
    },
  }),
};
