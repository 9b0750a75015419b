import { rmSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { ROOT } from "./run.ts";
import { writeTypes } from "./write-types.ts";

/** The client library: one small file for browsers and Node, and its types. */
export async function buildClient(outDir = join(ROOT, "dist", "client")): Promise<void> {
  rmSync(outDir, { recursive: true, force: true });
  const bundle = await rolldown({
    cwd: ROOT,
    input: "src/client/index.ts",
    platform: "neutral",
    logLevel: "warn",
  });
  await bundle.write({ file: join(outDir, "index.js"), format: "esm", minify: true });
  await bundle.close();
  await writeTypes("src/client", outDir);
}

if (import.meta.main) await buildClient();
