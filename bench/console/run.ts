// What open consoles cost the edge, and how fast they answer on a full store: `npm run bench:console`.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { pagesDir } from "../../src/bin/entries.ts";
import { interruptSignal } from "../lib/interrupt.ts";
import { describeMachine } from "../lib/machine.ts";
import { writeSection } from "../lib/section.ts";
import { measureCost } from "./cost.ts";
import { measureFullStore } from "./full-store.ts";
import { costText, fullStoreText, machineText } from "./report.ts";

const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: "11" },
    seconds: { type: "string", default: "10" },
    rounds: { type: "string", default: "5" },
    store: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
const pairs = Number(values.pairs);
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
if (!existsSync(join(pagesDir(), "index.html")))
  throw new Error("Cannot open the Overview as the pages are not built: npm run prepare");

const signal = interruptSignal();
const machine = describeMachine();
// 0 leaves a half out, to look at the other one
const parts = [
  pairs > 0 && costText(await measureCost({ pairs, seconds }, signal), seconds),
  rounds > 0 && fullStoreText(await measureFullStore({ rounds, keptStore: values.store }, signal)),
  machineText(machine),
  `Repeat with: \`npm run bench:console -- --pairs ${pairs} --seconds ${seconds} --rounds ${rounds} --write\``,
].filter((part) => part !== false);
const text = `## Console\n\n${parts.join("\n\n")}\n`;
console.log(text);
if (values.write) writeSection(join(import.meta.dirname, "../../docs/benchmarks.md"), "bench:console", text);
process.exit();
