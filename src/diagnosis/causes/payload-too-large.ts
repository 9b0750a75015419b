import type { Cause } from "../types.ts";

export const payloadTooLarge: Cause = {
  id: "payload-too-large",
  title: "A message is larger than its receiver takes",
  likelyIf: [["clients-payload-too-large"], ["payload-said"], ["payload-told", "abnormal-close-told"]],
  possibleIf: [["drops-told"], ["payload-told"]],
  seen: 5,
  remedies: [{ text: "Send less at once: the limit is 25 MiB, and base64 adds a third.", risk: "safe" }],
};
