import type { CauseId } from "../../core/causes.ts";

/** Why a gateway ended: behind whatever looks wrong while it is away. */
export const ends: readonly CauseId[] = [
  "oom",
  "uncaught-exception-crash",
  "native-crash",
  "killed-by-signal",
  "clean-exit",
  "config-refused-at-startup",
  "config-invalid",
  "port-conflict",
  "broken-install",
  "disk-full",
  "start-failed",
  "unexplained-exit",
  "host-restarted",
  "ended-without-record",
];
