import { join } from "node:path";
import { ROOT, run, runNode } from "./run.ts";

const TSC = join(ROOT, "node_modules/typescript/bin/tsc");

/** One word to be done. `--all` adds what needs root, servers, engines and browsers. */
const steps: [name: string, run: () => Promise<number>][] = [
  [
    "format and lint",
    () => run(process.execPath, [join(ROOT, "node_modules/@biomejs/biome/bin/biome"), "check", "."]),
  ],
  ["import directions", () => runNode(["scripts/imports.ts"])],
  ["types", () => runNode([TSC, "-p", "."])],
  ["types of the console", () => runNode([TSC, "-p", "console"])],
  ["docs in step", () => runNode(["scripts/docs.ts"])],
  ["tests", () => runNode(["scripts/test.ts"])],
];
if (process.argv.includes("--all"))
  steps.push(["system tests", () => runNode(["scripts/test.ts", "--system"])]);

for (const [name, step] of steps) {
  console.log(`\n── ${name}`);
  const code = await step();
  if (code !== 0) {
    console.error(`\nnot ok: ${name}`);
    process.exit(code);
  }
}
console.log("\nok");
