import { globSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { installOpenclaw } from "../test/faults/openclaw-install.ts";
import { bundleTypebox } from "./bundle-typebox.ts";
import { ROOT, runNode } from "./run.ts";

/** Needs no root, engine or browser; the README's test line. */
const QUICK = ["src/**/*.test.ts", "scripts/**/*.test.ts", "test/{integration,playbook}/**/*.test.ts"];

/** Needs root, servers, a registry or minutes. */
const SYSTEM = ["test/{system,network}/**/*.test.ts"];

/** `--system` runs those instead; names of files run just these. */
const args = process.argv.slice(2);
const named = args.filter((arg) => !arg.startsWith("--"));
const patterns = named.length > 0 ? named : args.includes("--system") ? SYSTEM : QUICK;
const files = globSync(patterns, { cwd: ROOT }).sort();
const isQuick = !files.some((file) => /^test[\\/](system|network)[\\/]/.test(file));
// those of whole processes first, as they are long: the short ones of src fill the end
if (isQuick) files.reverse();

// before the files run: two of them would install it into one folder at once
if (files.some((file) => dirname(file).endsWith("system") && /^(adopt|openclaw-cli)/.test(basename(file)))) {
  try {
    installOpenclaw((text) => console.log(text));
  } catch (error) {
    if (process.env.CI) throw error;
    console.log(String(error)); // their tests are skipped, and say so
  }
}

// Files run two or three at a time: each starts processes of its own, and a crowded machine makes slow tests, not better ones. The quick ones
// wait a third of their time.
// The tests start some hundred Nodes from source: compiling once is a third of their time.
const env: NodeJS.ProcessEnv = {
  ...process.env,
  NODE_COMPILE_CACHE: join(tmpdir(), "clawkit-compile-cache"),
};
// System tests run other people's programs, which get no options of ours.
if (isQuick) env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ""} ${await bundleTypebox()}`.trim();
process.exit(
  await runNode(
    [
      "--test",
      `--test-concurrency=${isQuick ? 3 : 2}`,
      "--test-timeout=600000",
      "--test-reporter=spec",
      ...files,
    ],
    env,
  ),
);
