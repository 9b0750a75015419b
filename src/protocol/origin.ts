/** Names under which a browser on this machine reaches a loopback gateway. */
const LOOPBACK_HOSTS = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Whether a browser page of `origin` may connect. Only browsers send `Origin`; comparing it with `Host` would
 * let a page in through DNS rebinding, so a page is let in if it was itself served from loopback by `port`, or
 * is listed.
 */
export function isOriginAllowed(
  origin: string | undefined,
  port: number,
  allowed: readonly string[],
): boolean {
  if (origin === undefined) return true;
  if (allowed.includes(origin)) return true;
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  if (url.protocol !== "http:" && url.protocol !== "https:") return false;
  const defaultPort = url.protocol === "https:" ? 443 : 80;
  return LOOPBACK_HOSTS.has(url.hostname) && Number(url.port || defaultPort) === port;
}
