import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import {
  ConnectErrorDetailCodes,
  resolveAuthConnectErrorDetailCode,
} from "@openclaw/gateway-protocol/connect-error-details";
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

/** Checks credentials, in constant time, and locks out an address that guesses. */
export class Authenticator {
  readonly #settings: AuthSettings;
  readonly #clock: Clock;
  readonly #failures = new FailureLimit();

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

  /** Judges what a client knows; of one with an identity `isDeviceToken` tells whether a token is its own. */
  admit(
    address: string,
    credentials: Credentials,
    isDeviceToken?: (token: string) => boolean,
  ): Admission | AuthRefusal {
    const { mode, secret } = this.#settings;
    if (mode === "none") return { by: "none" };
    const now = this.#clock.now();
    const lockedMs = this.#failures.lockedForMs(address, now);
    if (lockedMs > 0) return { ...refusal("rate_limited"), retryAfterMs: Math.ceil(lockedMs) };
    const given = mode === "token" ? credentials.token : credentials.password;
    if (given && secret !== undefined && isSameSecret(given, secret)) {
      this.#failures.recordSuccess(address);
      return { by: "secret" };
    }
    const tokens =
      isDeviceToken === undefined ? [] : [credentials.deviceToken, credentials.token].filter(Boolean);
    const token = tokens.find((one) => isDeviceToken!(one!));
    if (token !== undefined) {
      this.#failures.recordSuccess(address);
      return { by: "device-token", token };
    }
    if (!given && tokens.length === 0) return refusal(isDeviceToken ? `${mode}_missing` : "device_required");
    this.#failures.recordFailure(address, now);
    const { deviceToken } = credentials;
    const isOfDevice = tokens.length > 0 && Boolean(deviceToken) && (!given || given === deviceToken);
    return refusal(isOfDevice ? "device_token_mismatch" : `${mode}_mismatch`);
  }
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
