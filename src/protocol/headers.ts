/** HTTP headers as Node's `rawHeaders` gives them: names and values alternate, in the order they came. */
export type Headers = readonly string[];

/** Hop-by-hop headers, which end at us (RFC 9110 §7.6.1), and those that speak for a proxy. */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What `Connection` must not remove: without it a message would have another length, target or meaning. */
const NEVER_HOP_BY_HOP = /^(content-length|host|sec-websocket-.*)$/;

/** All values of the header `name` (lower case). */
export function headerValues(headers: Headers, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() === name) values.push(headers[i + 1]!);
  }
  return values;
}

/** The first value of the header `name` (lower case). */
export function headerValue(headers: Headers, name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() === name) return headers[i + 1];
  }
  return undefined;
}

/** The comma-separated elements of the header `name`, lower case. */
export function listTokens(headers: Headers, name: string): string[] {
  return headerValues(headers, name)
    .flatMap((value) => value.split(","))
    .map((token) => token.trim().toLowerCase())
    .filter((token) => token !== "");
}

/** The headers without those whose (lower case) name `drop` chooses. */
export function withoutHeaders(headers: Headers, drop: (name: string) => boolean): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (!drop(headers[i]!.toLowerCase())) kept.push(headers[i]!, headers[i + 1]!);
  }
  return kept;
}

/** The headers that go on to the next hop: without hop-by-hop ones and those that `Connection` names. */
export function endToEndHeaders(headers: Headers): string[] {
  const named = new Set(listTokens(headers, "connection"));
  return withoutHeaders(
    headers,
    (name) => HOP_BY_HOP.has(name) || (named.has(name) && !NEVER_HOP_BY_HOP.test(name)),
  );
}
