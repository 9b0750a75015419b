import { isTypedOn, type PlaybookLine } from "../playbook.ts";
import { configSteps } from "./config-steps.ts";
import { factSteps } from "./fact-steps.ts";
import { logSteps } from "./log-steps.ts";
import { ownSteps } from "./own-steps.ts";
import type { Step } from "./types.ts";

/**
 * Lines of the pages that can be answered on this machine. Left out is what needs something of a person (a paste, an
 * id, an address), what is the real OpenClaw's or Docker's to do, and what changes more than whether the gateway runs.
 */
export const allSteps: readonly Step[] = [
  ...factSteps,
  ...ownSteps,
  ...logSteps,
  ...configSteps,
  { kind: "changes", command: /^(openclaw|clawkit) gateway restart$/, verb: "restart" },
  { kind: "changes", command: /^(openclaw|clawkit) gateway start$/, verb: "start" },
  { kind: "changes", command: /^(openclaw|clawkit) gateway stop$/, verb: "stop" },
];

/** How a line is answered here; undefined for one that is not, or is another platform's. */
export function stepFor(line: PlaybookLine, platform: NodeJS.Platform): Step | undefined {
  if (line.kind !== "code" || !isTypedOn(platform, line)) return undefined;
  return allSteps.find(({ command }) => command.test(line.text));
}
