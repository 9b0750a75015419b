import { fileURLToPath } from "node:url";

/** Sources have `.ts` entry points, the built package has `.js` ones beside each other. */
const EXTENSION = import.meta.url.endsWith(".ts") ? ".ts" : ".js";

/** The path of one of our entry points. */
export function entryPath(
  name: "edge" | "gateway" | "supervisor" | "openclaw" | "demo-server" | "recorder",
): string {
  return fileURLToPath(new URL(`./${name}${EXTENSION}`, import.meta.url));
}
