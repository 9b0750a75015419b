import type { CauseId } from "../core/causes.ts";
import { CLOSE } from "../core/close-codes.ts";
import type { CloseMessage } from "../protocol/frames.ts";
import type { Ending } from "./connection-log.ts";

/** How a link ended, as its record says it. */
type End = Omit<Ending, "phase">;

export function endByClient({ code, reason }: CloseMessage): End {
  return {
    by: "client",
    code,
    reason,
    cause: CLIENT_CAUSES[code ?? CLOSE.normal] ?? "client-closed-with-error",
  };
}

export function endByGateway({ code, reason }: CloseMessage): End {
  return { by: "gateway", code, reason, cause: GATEWAY_CAUSES[code ?? CLOSE.normal] ?? "gateway-closed" };
}

/** FIN or RST come from the client's system; a timeout is what is left of a client behind a cut line. */
export function endWithoutClose(error: string | undefined): End {
  const none = { code: undefined };
  if (error === undefined) {
    return { ...none, by: "client", cause: "client-vanished", reason: "client ended without a close frame" };
  }
  if (error === "ECONNRESET" || error === "EPIPE") {
    return {
      ...none,
      by: "client",
      cause: "client-reset",
      reason: `client's system reset the connection (${error})`,
    };
  }
  return {
    ...none,
    by: "network",
    cause: "client-unreachable",
    reason: `connection to the client failed (${error})`,
  };
}

export function causeOfViolation(code: number): CauseId {
  return code === CLOSE.tooBig ? "payload-too-large" : "protocol-violation";
}

const CLIENT_CAUSES: Readonly<Record<number, CauseId>> = {
  [CLOSE.normal]: "client-closed",
  [CLOSE.goingAway]: "client-went-away",
  [CLOSE.protocolError]: "protocol-violation",
  [CLOSE.invalidData]: "protocol-violation",
  [CLOSE.tooBig]: "payload-too-large",
};

const GATEWAY_CAUSES: Readonly<Record<number, CauseId>> = {
  [CLOSE.protocolError]: "protocol-violation",
  [CLOSE.invalidData]: "protocol-violation",
  [CLOSE.policyViolation]: "pairing-or-auth-rejected",
  [CLOSE.tooBig]: "payload-too-large",
  [CLOSE.serviceRestart]: "gateway-announced-restart",
};
