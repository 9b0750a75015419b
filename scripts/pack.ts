import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.ts";
import { ROOT } from "./run.ts";

// `npm pack` and `npm publish` run this before and after. The package differs from the checkout: its code is built
// with its dependencies inside, and it brings no Node of its own.
const MANIFEST = join(ROOT, "package.json");
const BACKUP = join(ROOT, ".package.json.backup");

/** Fields of the manifest that a user of the package has no use for. */
const CHECKOUT_ONLY = ["scripts", "dependencies", "devDependencies", "optionalDependencies"];

function restore(): void {
  if (existsSync(BACKUP)) renameSync(BACKUP, MANIFEST);
}

if (process.argv[2] === "before") {
  restore(); // an interrupted run may have left one
  await build();
  const text = readFileSync(MANIFEST, "utf8");
  const manifest = JSON.parse(text) as Record<string, unknown>;
  for (const field of CHECKOUT_ONLY) delete manifest[field];
  writeFileSync(BACKUP, text);
  writeFileSync(MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`);
} else {
  restore();
}
