import { linux } from "./linux.ts";
import { macos } from "./macos.ts";
import type { Host } from "./types.ts";
import { windows } from "./windows.ts";

export type { Host, PortOwner, ProcessFacts } from "./types.ts";

/** The host interface of the platform this runs on; other Unix systems are read like Linux or not at all. */
export function hostFor(platform: NodeJS.Platform): Host {
  if (platform === "darwin") return macos;
  if (platform === "win32") return windows;
  return linux;
}
