/**
 * The host by which a program of this machine reaches what is bound to these addresses. Never one where nothing of ours
 * is bound: there somebody else may wait for our token. Undefined if nothing is bound.
 */
export function localHost(addresses: readonly string[]): string | undefined {
  if (addresses.includes("127.0.0.1") || addresses.includes("0.0.0.0")) return "127.0.0.1";
  const [first] = addresses;
  return first === "::" ? "::1" : first; // IPv6 alone (bound-port.ts)
}

/** Of a host that `localHost` named. */
export function localUrl(host: string, port: number, isTls: boolean): string {
  return `${isTls ? "wss" : "ws"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
