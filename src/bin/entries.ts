import { fileURLToPath } from "node:url";

/** Sources have `.ts` entry points, the built package has `.js` ones beside each other. */
const EXTENSION = import.meta.url.endsWith(".ts") ? ".ts" : ".js";

/** The playbook of a close code: beside the sources in a checkout, beside `dist` in the package. */
export function playbookPath(code: string): string {
  const root = EXTENSION === ".ts" ? "../.." : "..";
  return fileURLToPath(new URL(`${root}/playbooks/${code}.md`, import.meta.url));
}

/** The console's built pages: beside the built entry points, in `dist` of a checkout. */
export function pagesDir(): string {
  const dir = EXTENSION === ".ts" ? "../../dist/console" : "./console";
  return fileURLToPath(new URL(dir, import.meta.url));
}

/** The path of one of our entry points. */
export function entryPath(
  name: "clawkit" | "edge" | "gateway" | "supervisor" | "control" | "openclaw" | "demo-server" | "recorder",
): string {
  return fileURLToPath(new URL(`./${name}${EXTENSION}`, import.meta.url));
}
