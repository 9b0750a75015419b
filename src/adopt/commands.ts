/** What a command of the playbook does once OpenClaw is behind ClawKit, and what it does through the wrapper. */
export interface CommandFate {
  readonly command: string;
  readonly does: string;
  /** Only where the real one refuses, or works against the supervisor. */
  readonly wrapped?: string;
}

/** Tried with openclaw 2026.9.6 behind the edge, without a service manager (test/system/adopt.test.ts). */
export const COMMAND_FATES: readonly CommandFate[] = [
  {
    command: "openclaw gateway start",
    does: "exits 1: it looks for a service, and there is none. Use: clawkit gateway start",
    wrapped: "starts the gateway: clawkit gateway start",
  },
  {
    command: "openclaw gateway stop",
    does: "asks for --force, and then ends the gateway only: ClawKit starts it again. Use: clawkit gateway stop",
    wrapped: "stops the gateway: clawkit gateway stop",
  },
  {
    command: "openclaw gateway restart",
    does: "works: the gateway restarts in its own process, its clients are told 1012 and wait at the edge",
  },
  {
    command: "openclaw gateway status",
    does: "works, through the edge; it knows no service. What ClawKit does: clawkit gateway status",
  },
  {
    command: "openclaw logs --follow",
    does: "works, through the edge; outages of up to two minutes are ridden out. With everything down: clawkit logs --follow",
  },
  { command: "openclaw doctor", does: "works. What ClawKit saw: clawkit doctor" },
  {
    command: "openclaw doctor --fix",
    does: "refuses while a gateway runs (exit 1), as it did before. Behind clawkit gateway stop it works; then clawkit gateway start",
  },
];
