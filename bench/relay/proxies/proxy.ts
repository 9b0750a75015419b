/** One contestant: how to start it between a client and the backend. */
export interface ProxyEntry {
  readonly name: "direct" | "haproxy" | "nginx" | "clawkit";
  readonly title: string;
  /** HAProxy and nginx: what ClawKit is measured against. */
  readonly isPeer: boolean;
  /** Its version; for a program that isn't there, `missing` says what to do. */
  version(): { readonly text: string } | { readonly missing: string };
  /** Resolves when a handshake through it succeeds. `port` and `backendPort` are on 127.0.0.1. */
  start(port: number, backendPort: number, signal: AbortSignal): Promise<RunningProxy>;
}

export interface RunningProxy {
  /** Where clients connect. */
  readonly port: number;
  /** Every process it consists of now. */
  pids(): number[];
  stop(): Promise<void>;
}
