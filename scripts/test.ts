import { globSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, runNode } from "./run.ts";

/** Needs no root, engine or browser; the README's test line. */
const QUICK = ["src/**/*.test.ts", "scripts/**/*.test.ts", "test/{integration,playbook}/**/*.test.ts"];

/** Needs root, servers, a registry or minutes. */
const SYSTEM = ["test/system/**/*.test.ts"];

/** `--system` runs those instead; names of files run just these. */
const args = process.argv.slice(2);
const named = args.filter((arg) => !arg.startsWith("--"));
const patterns = named.length > 0 ? named : args.includes("--system") ? SYSTEM : QUICK;
const files = globSync(patterns, { cwd: ROOT }).sort();

// Files run two at a time: each starts processes of its own, and a crowded machine makes slow tests, not better ones.
// The tests start some hundred Nodes from source: compiling once is a third of their time.
const env = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "clawkit-compile-cache") };
process.exit(
  await runNode(
    ["--test", "--test-concurrency=2", "--test-timeout=600000", "--test-reporter=spec", ...files],
    env,
  ),
);
