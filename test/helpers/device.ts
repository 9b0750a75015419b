import { createHash, generateKeyPairSync, sign } from "node:crypto";
import type { GatewayClientOptions } from "@openclaw/gateway-client";

/** Bytes of an Ed25519 key at the end of its SPKI form. */
const KEY_BYTES = 32;

/** An identity that no gateway has seen. */
export function newDevice() {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-KEY_BYTES);
  return {
    id: createHash("sha256").update(raw).digest("hex"),
    publicKey: raw.toString("base64url"),
    sign: (payload: string) => sign(null, Buffer.from(payload), privateKey).toString("base64url"),
  };
}

/** Options with which the reference client is a device of its own: it signs the nonce of every challenge. */
export function asDevice(): GatewayClientOptions {
  const device = newDevice();
  return {
    // its keys stay here
    deviceIdentity: { deviceId: device.id, privateKeyPem: "", publicKeyPem: "" },
    hostDeps: {
      signDevicePayload: (_, payload: string) => device.sign(payload),
      publicKeyRawBase64UrlFromPem: () => device.publicKey,
    },
  };
}
