import { join } from "node:path";
import { ROOT, runNode } from "./run.ts";

/** Writes the types of a folder that users of the package import, by its own tsconfig. */
export async function writeTypes(folder: string, outDir: string): Promise<void> {
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const code = await runNode([tsc, "-p", `${folder}/tsconfig.json`, "--outDir", outDir]);
  if (code !== 0) throw new Error(`tsc cannot write the types of ${folder}: exit code ${code}`);
}
