/** What `gateway run --json` tells as it happens; times are added where it is printed. */
export type RunEvent =
  | { readonly event: "starting"; readonly pid: number; readonly port: number }
  /** Clients are served: for the first time, or again. */
  | {
      readonly event: "ready";
      readonly url: string;
      readonly port: number;
      readonly generation: number;
      readonly pids: {
        readonly supervisor: number;
        readonly edge: number | null;
        readonly gateway: number | null;
      };
    }
  | {
      readonly event: "gateway-exit";
      readonly generation: number;
      readonly code: number | null;
      readonly signal: string | null;
      readonly reason: string;
      readonly lastLine: string | null;
      readonly next: "restart" | "refused" | "stopped";
    }
  | { readonly event: "stopping"; readonly reason: string }
  | { readonly event: "stopped" }
  /** It could not start, or not go on. */
  | { readonly event: "failed"; readonly code: string; readonly message: string };
