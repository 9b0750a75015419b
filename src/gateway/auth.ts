import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { ConnectErrorDetailCodes } from "@openclaw/gateway-protocol/connect-error-details";
import type { Clock } from "../core/ports.ts";
import { FailureLimit } from "../policy/rate-limit.ts";

export interface AuthSettings {
  readonly mode: "token" | "password" | "none";
  readonly secret?: string;
}

export interface Credentials {
  readonly token?: string;
  readonly password?: string;
}

export interface AuthRefusal {
  /** The close reason and the message of the error response. */
  readonly message: string;
  readonly detailCode: string;
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

  /** Undefined if the client may come in. */
  refusalOf(address: string, credentials: Credentials): AuthRefusal | undefined {
    const { mode, secret } = this.#settings;
    if (mode === "none") return undefined;
    const now = this.#clock.now();
    const lockedMs = this.#failures.lockedForMs(address, now);
    if (lockedMs > 0) {
      return {
        message: "unauthorized: too many failed authentication attempts (retry later)",
        detailCode: ConnectErrorDetailCodes.AUTH_RATE_LIMITED,
        retryAfterMs: Math.ceil(lockedMs),
      };
    }
    const given = mode === "token" ? credentials.token : credentials.password;
    if (given === undefined || given === "") {
      // as the real gateway says it: without a shared secret only a device identity could let the client in
      return {
        message: "device identity required",
        detailCode: ConnectErrorDetailCodes.DEVICE_IDENTITY_REQUIRED,
      };
    }
    if (secret !== undefined && isSameSecret(given, secret)) {
      this.#failures.recordSuccess(address);
      return undefined;
    }
    this.#failures.recordFailure(address, now);
    return mode === "token"
      ? {
          message: "unauthorized: gateway token mismatch (provide gateway auth token)",
          detailCode: ConnectErrorDetailCodes.AUTH_TOKEN_MISMATCH,
        }
      : {
          message: "unauthorized: gateway password mismatch (provide gateway auth password)",
          detailCode: ConnectErrorDetailCodes.AUTH_PASSWORD_MISMATCH,
        };
  }
}

/** Compares digests: equal length whatever was given, and no early end. */
export function isSameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
