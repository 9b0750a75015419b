import type { Cause } from "../types.ts";

export const pairingOrAuthRejected: Cause = {
  id: "pairing-or-auth-rejected",
  title: "The gateway rejects who the client is",
  likelyIf: [["clients-pairing-or-auth-rejected"], ["pairing-said"]],
  possibleIf: [["closed-1008-said"], ["auth-failed-told"]],
  seen: 9,
  remedies: [
    {
      text: "Pair the device, or give it the token of the gateway's config. It is no crash.",
      commands: ["openclaw devices list", "openclaw devices approve"],
      risk: "safe",
    },
  ],
};
