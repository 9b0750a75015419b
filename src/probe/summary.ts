import type { Step, StepId } from "./types.ts";

const LAYERS: Readonly<Record<StepId, string>> = {
  dns: "the name",
  proxy: "the proxy",
  tcp: "the network or the port",
  tls: "TLS",
  upgrade: "HTTP (the gateway, or a proxy in front of it)",
  "first-message": "the gateway",
  ping: "the way of WebSocket frames",
  frames: "the size of packets or frames",
  close: "the goodbye",
};

/** Which hop or layer it is, in one line. */
export function summaryOf(steps: readonly Step[], isStopped: boolean): string {
  const failed = steps.find(({ verdict }) => verdict === "failed");
  if (failed !== undefined) return `It fails at ${LAYERS[failed.id]}: ${failed.detail}`;
  if (isStopped) {
    const last = steps.at(-1);
    return last === undefined ? "Stopped at once" : `Stopped; all works up to ${LAYERS[last.id]}`;
  }
  const warned = steps.filter(({ verdict }) => verdict === "warn");
  if (warned.length === 0) return "The path works, layer by layer";
  return `The path works; look at ${warned.map(({ id, detail }) => `${LAYERS[id]}: ${detail}`).join("; and at ")}`;
}
