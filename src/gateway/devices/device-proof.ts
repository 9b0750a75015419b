import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { resolveDeviceAuthConnectErrorDetailCode } from "@openclaw/gateway-protocol/connect-error-details";
import type { ConnectParams } from "../schemas.ts";

/** The real gateway's: how far the client's clock may be from ours. */
const MAX_SKEW_MS = 120_000;

const KEY_BYTES = 32;

/** What stands before the 32 bytes of an Ed25519 key in its SPKI form (RFC 8410 §4). */
const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");

export interface DeviceProblem {
  readonly message: string;
  readonly details: { readonly code: string; readonly reason: string };
}

/** What is wrong with a device's proof that it holds its key; undefined if nothing is. The order is the real gateway's. */
export function problemOfProof(
  params: ConnectParams,
  { nonce, now }: { readonly nonce: string; readonly now: number },
): DeviceProblem | undefined {
  const device = params.device!;
  const raw = Buffer.from(device.publicKey, "base64url");
  if (raw.length !== KEY_BYTES || createHash("sha256").update(raw).digest("hex") !== device.id)
    return problem("device-id-mismatch", "device identity mismatch");
  if (Math.abs(now - device.signedAt) > MAX_SKEW_MS)
    return problem("device-signature-stale", "device signature expired");
  if (device.nonce.trim() === "") return problem("device-nonce-missing", "device nonce required");
  if (device.nonce !== nonce) return problem("device-nonce-mismatch", "device nonce mismatch");
  const key = keyOf(raw);
  if (key === undefined) return problem("device-public-key", "device public key invalid");
  const signature = Buffer.from(device.signature, "base64url");
  const isSigned = [payloadV3(params), payloadV2(params)].some((payload) =>
    verify(null, Buffer.from(payload), key, signature),
  );
  return isSigned ? undefined : problem("device-signature", "device signature invalid");
}

function problem(reason: string, message: string): DeviceProblem {
  return { message, details: { code: resolveDeviceAuthConnectErrorDetailCode(reason), reason } };
}

function keyOf(raw: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.concat([SPKI_HEAD, raw]), format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

/** As the reference client makes them (@openclaw/gateway-client, buildDeviceAuthPayload and …V3). */
function payloadV2(params: ConnectParams): string {
  return ["v2", ...commonFields(params)].join("|");
}

function payloadV3(params: ConnectParams): string {
  const { platform, deviceFamily } = params.client;
  return ["v3", ...commonFields(params), asMetadata(platform), asMetadata(deviceFamily)].join("|");
}

function commonFields({ device, client, role, scopes, auth }: ConnectParams): string[] {
  const token = auth?.token ?? auth?.deviceToken ?? auth?.bootstrapToken ?? "";
  return [
    device!.id,
    client.id,
    client.mode,
    role ?? "operator",
    (scopes ?? []).join(","),
    String(device!.signedAt),
    token,
    device!.nonce,
  ];
}

/** Only ASCII letters are made small: no locale has a say. */
function asMetadata(text: string | undefined): string {
  return (text ?? "").trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
