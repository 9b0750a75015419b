// Compares ClawKit's relay with HAProxy and nginx: `npm run bench:relay -- --help`.
import { join } from "node:path";
import { interruptSignal } from "../lib/interrupt.ts";
import { openFilesLimit } from "../lib/limits.ts";
import { describeMachine } from "../lib/machine.ts";
import { writeSection } from "../lib/section.ts";
import type { ProxyEntry } from "./proxies/proxy.ts";
import { proxies } from "./proxies.ts";
import { type Report, renderReport } from "./report.ts";
import { runRounds } from "./rounds.ts";
import { readSettings, type Settings, usage } from "./settings.ts";
import { judge } from "./targets.ts";

const documentPath = join(import.meta.dirname, "../../docs/benchmarks.md");

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode ||= 1; // an interrupt has set 130
}
process.exit();

async function main(): Promise<void> {
  if (process.platform !== "linux")
    throw new Error("Cannot measure as CPU and memory are read from Linux's /proc");
  const asked = readSettings(process.argv.slice(2));
  if (!asked) return console.log(usage);
  const { settings, tooFew } = withinFileLimit(asked);
  const { present, versions, missing } = whoIsThere(settings);
  const notes = [...missing, ...tooFew];
  for (const note of notes) progress(note);

  const machine = describeMachine();
  const signal = interruptSignal();
  const { results, halfRate } = await runRounds(present, settings, { signal, progress });
  const date = new Date().toISOString().slice(0, 10);
  const report = { machine, versions, missing: notes, settings, halfRate, proxies: present, results, date };
  print(report);
  if (results.failures.length > 0) process.exitCode = 1;
}

function print(report: Report): void {
  const { settings } = report;
  const text = renderReport(report);
  const { proxies: _, ...rest } = report;
  const json = { ...rest, failures: report.results.failures, verdicts: judge(report.results) };
  console.log(settings.json ? JSON.stringify(json) : text);
  if (settings.write) writeSection(documentPath, "bench:relay", `## Relay\n\n${text}`);
}

/** Leaves out what isn't installed, and says so. */
function whoIsThere({ only }: Settings) {
  const present: ProxyEntry[] = [];
  const missing: string[] = [];
  const versions: Record<string, string> = {};
  for (const proxy of proxies.filter(({ name }) => only.includes(name))) {
    const version = proxy.version();
    if ("missing" in version) {
      missing.push(version.missing);
      continue;
    }
    present.push(proxy);
    if (proxy.name !== "direct") versions[proxy.title] = version.text;
  }
  if (present.length === 0) throw new Error(`Cannot measure as nothing is installed: ${missing.join("; ")}`);
  return { present, versions, missing };
}

/** A proxy needs two files per idle link. */
function withinFileLimit(settings: Settings): { settings: Settings; tooFew: string[] } {
  const limit = openFilesLimit();
  const most = Math.floor((limit - 500) / 2);
  if (settings.idleLinks <= most) return { settings, tooFew: [] };
  const tooFew = [`${settings.idleLinks} idle links, only ${most}, as \`ulimit -n\` is ${limit}`];
  return { settings: { ...settings, idleLinks: most }, tooFew };
}

function progress(text: string): void {
  console.error(text);
}
