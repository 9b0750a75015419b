import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { ROOT } from "./run.ts";

/** What we and the gateway protocol import of it. */
const SPECIFIERS = ["typebox", "typebox/value", "typebox/compile"];

/** Tolerant of a Node without hooks: a test may start one. */
const REGISTER = `import module from "node:module";
const bundled = ${JSON.stringify(SPECIFIERS)};
module.registerHooks?.({
  resolve: (specifier, context, next) =>
    bundled.includes(specifier)
      ? { url: new URL("./" + specifier + ".js", import.meta.url).href, shortCircuit: true }
      : next(specifier, context),
});
`;

/**
 * Bundles typebox into a folder of node_modules; resolves with the option of Node that has a process load it from there.
 * Its 661 files are two thirds of what a process of ours takes to start from source.
 */
export async function bundleTypebox(): Promise<string> {
  const bundle = await rolldown({
    cwd: ROOT,
    input: Object.fromEntries(SPECIFIERS.map((specifier) => [specifier, specifier])),
    platform: "node",
    logLevel: "warn",
  });
  const { output } = await bundle.generate({ format: "esm" });
  await bundle.close();
  const files = new Map([
    ["register.mjs", REGISTER],
    ["package.json", '{"type":"module"}'],
  ]);
  for (const file of output) if (file.type === "chunk") files.set(file.fileName, file.code);

  const hash = createHash("sha256").update(JSON.stringify([...files]));
  // the same path for the same text, as the compile cache goes by paths
  const cache = join(ROOT, "node_modules/.cache");
  const folder = join(cache, `clawkit-typebox-${hash.digest("hex").slice(0, 16)}`);
  mkdirSync(cache, { recursive: true });
  const written = mkdtempSync(`${folder}-`);
  chmodSync(written, 0o755); // a test starts one as another user
  for (const [name, text] of files) {
    mkdirSync(dirname(join(written, name)), { recursive: true });
    writeFileSync(join(written, name), text);
  }
  try {
    renameSync(written, folder);
  } catch {
    rmSync(written, { recursive: true }); // another run has it there
  }
  return `--import=${pathToFileURL(join(folder, "register.mjs"))}`;
}
