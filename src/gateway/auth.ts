import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import {
  ConnectErrorDetailCodes,
  resolveAuthConnectErrorDetailCode,
} from "@openclaw/gateway-protocol/connect-error-details";
import { hostOf } from "../core/address-ranges.ts";
import type { Clock } from "../core/ports.ts";
import { FailureLimit } from "../policy/rate-limit.ts";

export interface AuthSettings {
  readonly mode: "token" | "password" | "none";
  readonly secret?: string;
}

export interface Credentials {
  readonly token?: string;
  readonly password?: string;
  readonly deviceToken?: string;
}

/** How a client proved itself. */
export type Admission =
  | { readonly by: "none" | "secret" }
  | { readonly by: "device-token"; readonly token: string };

export interface AuthRefusal {
  /** The close reason and the message of the error response. */
  readonly message: string;
  readonly detailCode: string;
  /** The real gateway's word for it. */
  readonly authReason: string;
  readonly retryAfterMs?: number;
}

/** A client with an identity that it has proven. */
export interface ProvenDevice {
  readonly id: string;
  /** Whether a token is its own. */
  readonly isToken: (token: string) => boolean;
}

/**
 * Checks credentials, in constant time, and locks out an address (an IPv6 /64) that guesses. Secrets and device tokens are counted apart, as the
 * real gateway does: a device that comes in must not give its address new guesses at the secret, nor be locked out by those of others.
 */
export class Authenticator {
  readonly #settings: AuthSettings;
  readonly #clock: Clock;
  readonly #secrets = new FailureLimit();
  readonly #tokens = new FailureLimit();

  constructor(settings: AuthSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** Differs for every secret: who was let in by another one has to come in again. */
  markOf(nonce: string): string {
    const { mode, secret } = this.#settings;
    return createHmac("sha256", `${mode} ${secret ?? ""}`)
      .update(nonce)
      .digest("base64url");
  }

  /** Judges what a client knows. */
  admit(from: string, credentials: Credentials, device?: ProvenDevice): Admission | AuthRefusal {
    const { mode, secret } = this.#settings;
    if (mode === "none") return { by: "none" };
    const address = hostOf(from);
    const now = this.#clock.now();
    const given = (mode === "token" ? credentials.token : credentials.password) || undefined;
    const lockedMs = given === undefined ? 0 : this.#lockedForMs(address, device, now);
    if (given !== undefined && lockedMs === 0 && secret !== undefined && isSameSecret(given, secret)) {
      this.#secrets.recordSuccess(address);
      return { by: "secret" };
    }
    const tokens = device === undefined ? [] : [credentials.deviceToken, credentials.token].filter(isText);
    const tokensLockedMs = tokens.length === 0 ? 0 : this.#tokens.lockedForMs(address, now);
    const token = tokensLockedMs > 0 ? undefined : tokens.find((one) => device!.isToken(one));
    const isGuess = given !== undefined && given !== token && lockedMs === 0;
    if (token !== undefined) {
      this.#tokens.recordSuccess(address);
      // beside a token that lets it in it could guess for ever
      if (isGuess) this.#secrets.recordFailure(device!.id, now);
      return { by: "device-token", token };
    }
    if (isGuess) this.#secrets.recordFailure(address, now);
    if (tokens.length > 0 && tokensLockedMs === 0) this.#tokens.recordFailure(address, now);
    if (given === undefined && tokens.length === 0)
      return refusal(device ? `${mode}_missing` : "device_required");
    const retryAfterMs = Math.ceil(Math.max(lockedMs, tokensLockedMs));
    if (retryAfterMs > 0) return { ...refusal("rate_limited"), retryAfterMs };
    const { deviceToken } = credentials;
    const isOfDevice = tokens.length > 0 && Boolean(deviceToken) && (!given || given === deviceToken);
    return refusal(isOfDevice ? "device_token_mismatch" : `${mode}_mismatch`);
  }

  /** From being told whether a secret is the right one. */
  #lockedForMs(address: string, device: ProvenDevice | undefined, now: number): number {
    const ofDevice = device === undefined ? 0 : this.#secrets.lockedForMs(device.id, now);
    return Math.max(ofDevice, this.#secrets.lockedForMs(address, now));
  }
}

function isText(value: string | undefined): value is string {
  return value !== undefined && value !== "";
}

/** The real gateway's words. */
const MESSAGES = {
  rate_limited: "unauthorized: too many failed authentication attempts (retry later)",
  token_mismatch: "unauthorized: gateway token mismatch (provide gateway auth token)",
  token_missing: "unauthorized: gateway token missing (provide gateway auth token)",
  password_mismatch: "unauthorized: gateway password mismatch (provide gateway auth password)",
  password_missing: "unauthorized: gateway password missing (provide gateway auth password)",
  device_token_mismatch: "unauthorized: device token mismatch (rotate/reissue device token)",
  // without a shared secret only a device identity could let the client in
  device_required: "device identity required",
} as const;

function refusal(reason: keyof typeof MESSAGES): AuthRefusal {
  const detailCode =
    reason === "device_required"
      ? ConnectErrorDetailCodes.DEVICE_IDENTITY_REQUIRED
      : resolveAuthConnectErrorDetailCode(reason);
  return { message: MESSAGES[reason], detailCode, authReason: reason };
}

/** Compares digests: equal length whatever was given, and no early end. */
export function isSameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
