import { globSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { installOpenclaw } from "../test/faults/openclaw-install.ts";
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

// before the files run: two of them would install it into one folder at once
if (files.some((file) => dirname(file).endsWith("system") && /^(adopt|openclaw-cli)/.test(basename(file)))) {
  try {
    installOpenclaw((text) => console.log(text));
  } catch (error) {
    if (process.env.CI) throw error;
    console.log(String(error)); // their tests are skipped, and say so
  }
}

// Files run two at a time: each starts processes of its own, and a crowded machine makes slow tests, not better ones.
// The tests start some hundred Nodes from source: compiling once is a third of their time.
const env = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "clawkit-compile-cache") };
process.exit(
  await runNode(
    ["--test", "--test-concurrency=2", "--test-timeout=600000", "--test-reporter=spec", ...files],
    env,
  ),
);
