import { createHash, generateKeyPairSync, sign } from "node:crypto";
import {
  buildDeviceAuthPayload,
  buildDeviceAuthPayloadV3,
  type GatewayClientOptions,
} from "@openclaw/gateway-client";
import type { ConnectParams } from "@openclaw/gateway-protocol";

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

export type TestDevice = ReturnType<typeof newDevice>;

/** `connect` params with the device's signature over the challenge, as the reference client makes it. */
export function signed(device: TestDevice, params: ConnectParams, challenge: Challenge): ConnectParams {
  const { client, auth } = params;
  const fields = {
    deviceId: device.id,
    clientId: client.id,
    clientMode: client.mode,
    role: params.role ?? "operator",
    scopes: params.scopes ?? [],
    signedAtMs: challenge.ts,
    token: auth?.token ?? auth?.deviceToken ?? null,
    nonce: challenge.nonce,
  };
  const payload =
    challenge.version === "v2"
      ? buildDeviceAuthPayload(fields)
      : buildDeviceAuthPayloadV3({
          ...fields,
          platform: client.platform,
          deviceFamily: client.deviceFamily ?? null,
        });
  return {
    ...params,
    device: {
      id: device.id,
      publicKey: device.publicKey,
      signature: device.sign(payload),
      signedAt: challenge.ts,
      nonce: challenge.nonce,
    },
  };
}

export interface Challenge {
  readonly nonce: string;
  readonly ts: number;
  readonly version?: "v2" | "v3";
}

/** Options with which the reference client is a device of its own: it signs the nonce of every challenge. */
export function asDevice(device = newDevice()): GatewayClientOptions {
  return {
    // its keys stay here
    deviceIdentity: { deviceId: device.id, privateKeyPem: "", publicKeyPem: "" },
    hostDeps: {
      signDevicePayload: (_, payload: string) => device.sign(payload),
      publicKeyRawBase64UrlFromPem: () => device.publicKey,
    },
  };
}
