import { rmSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { ROOT, runNode } from "./run.ts";

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
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const code = await runNode([tsc, "-p", "src/client/tsconfig.json", "--outDir", outDir]);
  if (code !== 0) throw new Error(`tsc cannot write the types of src/client: exit code ${code}`);
}

if (import.meta.main) await buildClient();
