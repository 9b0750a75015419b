import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ConnectParams } from "@openclaw/gateway-protocol";
import { newDevice, signed } from "../../../test/helpers/device.ts";
import { connectParams } from "../../../test/helpers/raw-gateway-client.ts";
import { problemOfProof } from "./device-proof.ts";

const NOW = 1_800_000_000_000;
const CHALLENGE = { nonce: "the-nonce-of-this-link", ts: NOW };

const device = newDevice();
const params = connectParams({
  role: "operator",
  scopes: ["operator.read", "operator.write"],
  auth: { token: "a-shared-secret" },
  client: { id: "cli", version: "1", platform: " Darwin ", deviceFamily: "MacBook", mode: "cli" },
});
const proven = signed(device, params, CHALLENGE);

const problemOf = (changed: ConnectParams, now = NOW) =>
  problemOfProof(changed, { nonce: CHALLENGE.nonce, now })?.details.code;

describe("a device's proof", () => {
  for (const version of ["v2", "v3"] as const) {
    it(`is its signature over the challenge, as ${version} has it`, () => {
      assert.equal(problemOf(signed(device, params, { ...CHALLENGE, version })), undefined);
    });
  }

  it("may be of a clock that is two minutes off, and no more", () => {
    assert.equal(problemOf(proven, NOW + 120_000), undefined);
    assert.equal(problemOf(proven, NOW - 120_000), undefined);
    assert.equal(problemOf(proven, NOW + 120_001), "DEVICE_AUTH_SIGNATURE_EXPIRED");
  });

  const withDevice = (change: object) => ({ ...proven, device: { ...proven.device!, ...change } });
  const other = newDevice();
  const wrong: [what: string, params: ConnectParams, code: string][] = [
    ["another's id", withDevice({ id: other.id }), "DEVICE_AUTH_DEVICE_ID_MISMATCH"],
    ["a key that is none", withDevice({ publicKey: "short" }), "DEVICE_AUTH_DEVICE_ID_MISMATCH"],
    ["an empty nonce", withDevice({ nonce: " " }), "DEVICE_AUTH_NONCE_REQUIRED"],
    ["the nonce of another connection", withDevice({ nonce: "another" }), "DEVICE_AUTH_NONCE_MISMATCH"],
    ["no signature", withDevice({ signature: "none" }), "DEVICE_AUTH_SIGNATURE_INVALID"],
    [
      "more scopes than were signed",
      { ...proven, scopes: ["operator.admin"] },
      "DEVICE_AUTH_SIGNATURE_INVALID",
    ],
    ["another role than was signed", { ...proven, role: "node" }, "DEVICE_AUTH_SIGNATURE_INVALID"],
    ["another token than was signed", { ...proven, auth: { token: "x" } }, "DEVICE_AUTH_SIGNATURE_INVALID"],
    [
      "another platform than was signed",
      { ...proven, client: { ...proven.client, platform: "linux" } },
      "DEVICE_AUTH_SIGNATURE_INVALID",
    ],
  ];
  for (const [what, changed, code] of wrong) {
    it(`with ${what} is refused: ${code}`, () => {
      assert.equal(problemOf(changed), code);
    });
  }
});
