import type { Cause } from "../types.ts";

export const connectionResetMidRequest: Cause = {
  id: "connection-reset-mid-request",
  title: "The connection was cut in the middle of a request",
  likelyIf: [["clients-gateway-dropped-connection"]],
  possibleIf: [["reset-said"]],
  seen: 2,
  remedies: [{ text: "The request may have been carried out: look before you repeat it.", risk: "safe" }],
};
