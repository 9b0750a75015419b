import { join } from "node:path";
import { build } from "vite";
import { ROOT } from "./run.ts";

/** The console's pages, into a folder of their own. */
export async function buildConsole(outDir = join(ROOT, "dist", "console")): Promise<void> {
  await build({ configFile: join(ROOT, "console", "vite.config.ts"), build: { outDir, emptyOutDir: true } });
}

if (import.meta.main) await buildConsole();
