export const EDGE_KEY = "bench-edge-key";
export const TOKEN = "bench-token-0123456789";

/** What its clients say first. */
export const CONNECT = {
  minProtocol: 4,
  maxProtocol: 4,
  client: { id: "test", version: "1.0.0", platform: "bench", mode: "test" },
  scopes: ["operator.admin"],
  auth: { token: TOKEN },
};
