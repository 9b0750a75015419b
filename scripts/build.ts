import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { buildClient } from "./build-client.ts";
import { buildConsole } from "./build-console.ts";
import { ROOT } from "./run.ts";
import { writeTypes } from "./write-types.ts";

/** The processes of the package; each loads all its code at start, so an upgrade under it cannot break it. */
const ENTRIES = [
  "clawkit",
  "openclaw",
  "supervisor",
  "edge",
  "gateway",
  "gateway-module",
  "control",
  "recorder",
  "demo-server",
  "healthcheck",
];

/** Schema builders have no side effects: a bundle keeps the few schemas it uses of the protocol's thousand. */
const PURE_FUNCTIONS = ["Type", "closedObject", "lazyCompile"];

export async function build(outDir = join(ROOT, "dist")): Promise<void> {
  rmSync(outDir, { recursive: true, force: true });
  mkdirSync(outDir, { recursive: true });
  const bundle = await rolldown({
    cwd: ROOT,
    input: Object.fromEntries(ENTRIES.map((name) => [`${name}-main`, `src/bin/${name}.ts`])),
    platform: "node",
    treeshake: { moduleSideEffects: false, manualPureFunctions: PURE_FUNCTIONS },
    logLevel: "warn",
  });
  await bundle.write({
    dir: outDir,
    format: "esm", // beside the entry points: they find each other by file name
    chunkFileNames: "[name]-[hash].js",
    minify: false,
  });
  await bundle.close();
  await buildConsole(join(outDir, "console"));
  await buildClient(join(outDir, "client"));
  await writeTypes("src/module", join(outDir, "module"));
  for (const name of ENTRIES) {
    writeFileSync(join(outDir, `${name}.js`), launcher(name));
    chmodSync(join(outDir, `${name}.js`), 0o755);
  }
}

/** Loads on any Node, so that an old one gets a sentence instead of a syntax error. */
function launcher(name: string): string {
  return `#!/usr/bin/env node
if (Number(process.versions.node.split(".")[0]) >= 24) {
  await import("./${name}-main.js");
} else {
  console.error("ClawKit needs Node 24 or newer and this is Node " + process.versions.node + ": install it from https://nodejs.org");
  process.exitCode = 1;
}
`;
}

if (import.meta.main) await build();
