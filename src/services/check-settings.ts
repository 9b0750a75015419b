import { ClawkitError } from "../core/errors.ts";
import type { ServiceSettings } from "./types.ts";

/** C0, DEL and C1: a line end begins a setting of its own in a unit, and XML 1.0 has none of them (§2.2). */
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;

/** Refuses what no definition can hold. `home` is where some of them are written. */
export function checkSettings(settings: ServiceSettings, home: string): ServiceSettings {
  const named: readonly [string, string][] = [
    ["the path of Node", settings.node],
    ["the path of ClawKit", settings.entry],
    ["the state directory (CLAWKIT_STATE_DIR)", settings.stateDir],
    ["the home directory (HOME)", home],
    ["PATH", settings.path],
    ["the name of the user", settings.user],
    ...Object.entries(settings.variables),
  ];
  for (const [name, value] of named) {
    if (!CONTROL.test(value)) continue;
    throw new ClawkitError(
      "SERVICE_UNAVAILABLE",
      `Cannot make a service as ${name} has a line end or another control character in it: ${JSON.stringify(value)}. Choose one without`,
    );
  }
  return settings;
}
