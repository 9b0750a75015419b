export const EDGE_KEY = "bench-edge-key";
export const TOKEN = "bench-token-0123456789";
