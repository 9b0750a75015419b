import type { IncomingMessage } from "node:http";
import type { Front } from "./guard.ts";

/** Cookies of one host are shared by all its ports: two gateways must not sign each other out. */
function nameOf({ port }: Front): string {
  return `clawkit-${port}`;
}

/** The session's cookie, if the browser sent one. */
export function cookieOf(request: IncomingMessage, front: Front): string | undefined {
  const name = nameOf(front);
  for (const part of (request.headers.cookie ?? "").split(";")) {
    const [key, value] = part.trim().split("=", 2);
    if (key === name && value) return value;
  }
  return undefined;
}

/** `Set-Cookie` for a value; an empty one takes it back. */
export function setCookie(value: string, maxAgeSec: number, front: Front): string {
  const secure = front.isTls ? "; Secure" : "";
  return `${nameOf(front)}=${value}; Path=/__clawkit__/; Max-Age=${maxAgeSec}; HttpOnly; SameSite=Strict${secure}`;
}
