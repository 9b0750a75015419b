/** What a gateway that is well says in its log about clients that are not. */
export const SAID_OF_CLIENTS: readonly string[] = [
  "pairing-said",
  "protocol-mismatch-said",
  "payload-said",
  "loop-delay-said",
];
