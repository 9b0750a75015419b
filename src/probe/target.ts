import { ClawkitError } from "../core/errors.ts";

/** Where a probe goes. */
export interface ProbeTarget {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** With its query; never shown, as it may hold a token. */
  readonly path: string;
  /** What of it is shown to nobody, also if the other side repeats it. */
  readonly secrets: readonly string[];
}

const SCHEMES: Readonly<Record<string, boolean>> = {
  "ws:": false,
  "http:": false,
  "wss:": true,
  "https:": true,
};

/** Reads `ws://`, `wss://`, `http://` and `https://` addresses. Throws USAGE. */
export function targetOf(text: string): ProbeTarget {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isTls = url === undefined ? undefined : SCHEMES[url.protocol];
  if (url === undefined || isTls === undefined || url.hostname === "") {
    throw new ClawkitError(
      "USAGE",
      `Cannot probe ${JSON.stringify(withoutSecret(text))}: give a URL such as ws://127.0.0.1:18789 or wss://gateway.example`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new ClawkitError(
      "USAGE",
      "Cannot probe a URL with a user or password in it: leave them out, no one signs in",
    );
  }
  return {
    url: `${url.protocol.replace("http", "ws")}//${url.host}${url.pathname}`,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (isTls ? 443 : 80) : Number(url.port),
    isTls,
    path: url.pathname + url.search,
    secrets: [...url.searchParams.values(), ...rawValues(url.search)],
  };
}

function rawValues(search: string): string[] {
  return search
    .slice(1)
    .split("&")
    .map((pair) => pair.slice(pair.indexOf("=") + 1));
}

/** Neither what stands before an @ nor a query or fragment is repeated. */
function withoutSecret(text: string): string {
  return text.replace(/[?#].*$/s, "").replace(/^.*@/s, "");
}
