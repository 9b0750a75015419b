import { fileURLToPath } from "node:url";

/** Sources have `.ts` entry points, the built package has `.js` ones beside each other. */
const EXTENSION = import.meta.url.endsWith(".ts") ? ".ts" : ".js";

/** The folder with the playbooks: beside the sources in a checkout, beside `dist` in the package. */
export function playbooksDir(): string {
  const root = EXTENSION === ".ts" ? "../.." : "..";
  return fileURLToPath(new URL(`${root}/playbooks`, import.meta.url));
}

/** The path of one of our entry points. */
export function entryPath(
  name: "clawkit" | "edge" | "gateway" | "supervisor" | "openclaw" | "demo-server" | "recorder",
): string {
  return fileURLToPath(new URL(`./${name}${EXTENSION}`, import.meta.url));
}
