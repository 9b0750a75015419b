import type { ProxyEntry } from "./proxy.ts";

/** No proxy: what generator and backend can do by themselves. */
export const direct: ProxyEntry = {
  name: "direct",
  title: "direct",
  isPeer: false,
  version: () => ({ text: "no proxy" }),
  start: async (_port, backendPort) => ({ port: backendPort, pids: () => [], stop: async () => {} }),
};
