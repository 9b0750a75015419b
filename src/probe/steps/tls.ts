import type { Socket } from "node:net";
import type { PeerCertificate, TLSSocket } from "node:tls";
import { checkServerIdentity } from "node:tls";
import { messageOf } from "../../core/errors.ts";
import { startTls } from "../sockets.ts";
import type { Step } from "../types.ts";

const DAY_MS = 24 * 3_600_000;

/** Let's Encrypt renews 30 days ahead: with less left, renewing does not work. */
const SOON_DAYS = 14;

/** A certificate of a hosting company has hundreds. */
const MAX_NAMES = 500;

/** Encrypts the connection, and says what a client would think of the certificate. */
export async function secure(
  socket: Socket,
  host: string,
  { now, signal }: { readonly now: number; readonly signal: AbortSignal },
): Promise<{ step: Step; socket: TLSSocket | undefined }> {
  const startedAt = performance.now();
  let secured: TLSSocket;
  try {
    secured = await startTls(socket, host, signal);
  } catch (error) {
    const ms = performance.now() - startedAt;
    return { step: { id: "tls", verdict: "failed", ms, detail: failureOf(error) }, socket: undefined };
  }
  const ms = performance.now() - startedAt;
  const certificate = secured.getPeerCertificate();
  const problems = problemsOf(secured, certificate, host, now);
  const isTrusted = secured.authorized && problems.length === 0;
  const until = new Date(certificate.valid_to);
  const detail =
    `${secured.getProtocol()}, ${certificate.subject?.CN ?? "a certificate without a name"} until ${Number.isNaN(+until) ? "an unknown day" : until.toISOString().slice(0, 10)}` +
    `, issued by ${certificate.issuer?.CN ?? certificate.issuer?.O ?? "nobody"}` +
    (problems.length === 0 ? "" : `; ${problems.join("; ")}`);
  const isFatal = problems.some((problem) => !problem.startsWith("expires"));
  const step: Step = {
    id: "tls",
    verdict: isTrusted ? "ok" : isFatal ? "failed" : "warn",
    ms,
    detail,
    data: {
      version: secured.getProtocol(),
      fingerprint256: certificate.fingerprint256 ?? null,
      validTo: Number.isNaN(+until) ? null : until.toISOString(),
      names: certificate.subjectaltname?.slice(0, MAX_NAMES) ?? null,
      trusted: secured.authorized,
    },
  };
  return { step, socket: secured };
}

/** What a client would refuse, or will before long. */
function problemsOf(socket: TLSSocket, certificate: PeerCertificate, host: string, now: number): string[] {
  const problems: string[] = [];
  const begins = (Date.parse(certificate.valid_from) - now) / DAY_MS;
  if (begins > 0)
    problems.push(`is valid only in ${Math.ceil(begins)} days: is the clock of this machine right?`);
  const left = (Date.parse(certificate.valid_to) - now) / DAY_MS;
  if (left < 0) problems.push(`expired ${Math.ceil(-left)} days ago`);
  else if (left < SOON_DAYS) problems.push(`expires in ${Math.floor(left)} days`);
  const named = checkServerIdentity(host, certificate);
  if (named !== undefined)
    problems.push(
      `it is not for ${host}: ${certificate.subjectaltname?.slice(0, MAX_NAMES) ?? "it has no names"}`,
    );
  const reason = socket.authorizationError as unknown as string | undefined;
  if (!socket.authorized && left >= 0 && !(begins > 0) && named === undefined)
    // a client may be told to trust just this one
    problems.push(`it is not trusted here (${reason}), SHA-256 ${certificate.fingerprint256}`);
  return problems;
}

function failureOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "EPROTO") {
    return `what answers speaks no TLS (${code}): try ws:// instead of wss://, or a proxy on the way answers in its place`;
  }
  if (code === "ECONNRESET")
    return "the connection was reset in the middle of the TLS handshake: a box on the way allows no TLS, or not to this name";
  if (code === "ETIMEDOUT") {
    return "no answer to the TLS handshake within 5 s: what answers speaks no TLS, or its certificate's full packets do not come through (an MTU that is too small)";
  }
  return `no TLS: ${messageOf(error)}`;
}
