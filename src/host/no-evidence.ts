import type { Host } from "./types.ts";

/**
 * For platforms where no command tells it in good time: nothing limits memory by cgroups there, the system's log
 * takes seconds to ask, and handlers of signals are not shown.
 */
export const noEvidence: Pick<
  Host,
  | "cgroupOf"
  | "cgroupMemory"
  | "cgroupPids"
  | "kernelLines"
  | "handlesSignal"
  | "serviceLog"
  | "portRule"
  | "sleep"
> = {
  cgroupOf: async () => undefined,
  cgroupMemory: async () => undefined,
  cgroupPids: async () => undefined,
  serviceLog: async () => undefined,
  portRule: async () => undefined,
  sleep: async () => undefined,
  kernelLines: async () => undefined,
  handlesSignal: async () => false,
};
