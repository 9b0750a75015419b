import type { Config } from "../../config/schema.ts";
import { VERSION } from "../../core/version.ts";
import { ApiError } from "../api-error.ts";
import { readJson } from "../body.ts";
import type { SessionInfo } from "../contract.ts";
import { setCookie } from "../cookie.ts";
import { recordAction } from "../record-action.ts";
import type { Call, Route } from "../route.ts";
import type { Session } from "../session.ts";

export const sessionRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/session",
    what: "who is signed in, and the token that changes need",
    handle: async (call) => infoOf(call, call.session!),
  },
  {
    method: "POST",
    path: "/session",
    isOpen: true,
    what: "sign in with `code` (from `clawkit console`, once, for a minute) or `token` (the gateway's); sets the cookie",
    handle: signIn,
  },
  {
    method: "DELETE",
    path: "/session",
    what: "sign out",
    handle: async ({ sessions, cookie, response, front }) => {
      sessions.close(cookie!);
      response.setHeader("Set-Cookie", setCookie("", 0, front));
      return { ok: true };
    },
  },
];

async function signIn(call: Call): Promise<SessionInfo> {
  const { sessions, peer, response, front, deps } = call;
  const { code, token } = await readJson(call.request);
  const { session, secret } =
    typeof code === "string"
      ? sessions.withCode(code, peer)
      : typeof token === "string"
        ? await withToken(call, token)
        : missing();
  const seconds = Math.floor((session.expiresAt - deps.clock.wall()) / 1000);
  response.setHeader("Set-Cookie", setCookie(secret, seconds, front));
  return infoOf(call, session);
}

async function withToken(call: Call, token: string) {
  const { sessions, peer, deps } = call;
  const expected = await ownSecret(call);
  try {
    return sessions.withToken(token, expected, peer);
  } catch (error) {
    // recorded once, not for each further try
    if (error instanceof ApiError && error.code === "NOT_SIGNED_IN" && sessions.isLocked(peer)) {
      const what = `sign-ins to the console by token are locked: too many failed, the last from ${peer}`;
      await recordAction(deps, undefined, what);
    }
    throw error;
  }
}

function missing(): never {
  throw new ApiError("BAD_REQUEST", "Sign in with a code or a token");
}

/** What clients of our own gateway prove themselves with; other gateways' secrets are not ours to know. */
async function ownSecret({ deps }: Call): Promise<string | undefined> {
  const config: Config | undefined = await deps.config().catch(() => undefined);
  if (config === undefined || config.gateway.upstream.type !== "builtin") return undefined;
  const { mode, token, password } = config.gateway.auth;
  return mode === "token" ? token : mode === "password" ? password : undefined;
}

function infoOf({ deps }: Call, { csrf, expiresAt }: Session): SessionInfo {
  return { apiVersion: 1, version: VERSION, csrf, expiresAt, platform: deps.platform, mode: deps.mode };
}
