import type { Cause } from "../types.ts";

export const payloadTooLarge: Cause = {
  id: "payload-too-large",
  title: "A message is larger than its receiver takes",
  likelyIf: [["clients-payload-too-large"], ["payload-said"]],
  seen: 5,
  remedies: [{ text: "Send less at once: the limit is 25 MiB, and base64 adds a third.", risk: "safe" }],
};
