import type { PlaybookSection } from "../../../src/control/contract.ts";

export type Shell = NonNullable<PlaybookSection["lines"][number]["shells"]>[number];

export const SHELLS: readonly (readonly [Shell, string])[] = [
  ["macos", "macOS"],
  ["linux", "Linux"],
  ["cmd", "Windows cmd"],
  ["powershell", "PowerShell"],
];

/** The visitor's own; whoever reads it on a phone most likely has a server with Linux. */
export function shellOf(userAgent: string): Shell {
  if (userAgent.includes("Macintosh")) return "macos";
  return /Windows/.test(userAgent) ? "powershell" : "linux";
}

/** Those of the machine that the gateway runs on. */
export function shellsOf(platform: string): readonly Shell[] {
  if (platform === "win32") return ["cmd", "powershell"];
  return [platform === "darwin" ? "macos" : "linux"];
}
