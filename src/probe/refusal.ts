import { messageOf } from "../core/errors.ts";
import { UpgradeRefused } from "./open.ts";
import type { HttpHead } from "./sockets.ts";
import type { Step } from "./types.ts";

/** What a status in place of 101 means on the way to a gateway. */
const MEANINGS: Readonly<Record<number, string>> = {
  200: "a web server or proxy answers as if it was a page: Upgrade is not passed on, or it is another path",
  400: "who answers sees no upgrade: a proxy in between does not pass the headers Upgrade and Connection on",
  401: "a sign-in is asked for by who answers: a proxy's own, as gateways ask later",
  403: "not allowed: a proxy, a firewall of web requests or a list of origins",
  404: "nothing is served at this path",
  426: "who answers sees no upgrade: a proxy in between does not pass the headers Upgrade and Connection on",
  429: "too many requests of this address",
  502: "a proxy answers, and the gateway behind it does not",
  503: "a proxy or gateway answers that nobody can be served now",
  504: "a proxy answers, and the gateway behind it does not in time",
};

/** Headers that say who answered and what is wrong; others may hold secrets. */
const TOLD = [
  "server",
  "via",
  "x-powered-by",
  "cf-ray",
  "x-cache",
  "content-type",
  "retry-after",
  "connection",
  "upgrade",
];

/** Why there is no WebSocket. */
export function refusal(error: unknown): Pick<Step, "detail" | "data"> {
  const head = error instanceof UpgradeRefused ? error.head : undefined;
  if (head === undefined) return { detail: `no upgrade to WebSocket: ${why(error)}`, data: { status: null } };
  const location = head.headers.get("location")?.replace(/[?#].*$/s, "");
  const meaning =
    location === undefined ? MEANINGS[head.status] : `it is served elsewhere: ${location.slice(0, 200)}`;
  const detail = `the upgrade to WebSocket is refused: ${messageOf(error)}${answeredBy(head.headers)}${meaning === undefined ? "" : `: ${meaning}`}`;
  return { detail, data: answerOf(head) };
}

/** An answer for programs. */
export function answerOf({ status, headers }: HttpHead): NonNullable<Step["data"]> {
  const told = TOLD.flatMap((name) => {
    const value = headers.get(name);
    return value === undefined ? [] : [[name, value.slice(0, 200)] as const];
  });
  return { status, headers: Object.fromEntries(told) };
}

function why(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ETIMEDOUT") return `${messageOf(error)}: the gateway hangs, or a proxy holds the request`;
  if (code === "ECONNRESET") {
    return "the connection is reset in place of an answer: a firewall or proxy allows no WebSocket here, or the gateway died just now";
  }
  return messageOf(error);
}

/** Servers, and proxies on the way, name themselves in headers. */
export function answeredBy(headers: HttpHead["headers"]): string {
  const names = ["server", "via", "x-powered-by", "cf-ray", "x-cache"].flatMap((name) => {
    const value = headers.get(name);
    return value === undefined ? [] : [`${name}: ${value.slice(0, 60)}`];
  });
  return names.length === 0 ? "" : ` (answered by ${names.join(", ")})`;
}
