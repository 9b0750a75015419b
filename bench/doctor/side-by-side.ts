// The same broken OpenClaw, asked of ClawKit's doctor and of its own: how long each takes, and whether it names the
// cause. What counts as naming it is a pattern per fault, written for OpenClaw's words as much as for ours.
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { OpenclawFault } from "../../test/faults/fault.ts";
import { allFaults } from "../../test/faults/index.ts";
import { installOpenclaw } from "../../test/faults/openclaw-install.ts";
import { OpenclawLab } from "../../test/faults/openclaw-lab.ts";
import { describeMachine } from "../lib/machine.ts";
import { writeSection } from "../lib/section.ts";
import { summarize } from "../lib/statistics.ts";
import { formatNumber, markdownTable } from "../lib/table.ts";

/** Fault → what an answer must say to have named it. Generous: a synonym is enough. */
const NAMED: Readonly<Record<string, RegExp>> = {
  "openclaw-killed": /ended-without-record|was killed|crashed|unclean|ended without|terminated unexpectedly/i,
  "openclaw-stopped": /SIGSTOP|process is (stopped|suspended)|wedged|\bhung\b/i,
  "openclaw-zombie": /SIGSTOP|process is (stopped|suspended)|wedged|\bhung\b/i,
  "openclaw-config-cut":
    /not JSON5?|JSON5? (parse|syntax)|parse error|failed to parse|Unexpected (end|token)|truncated/i,
  "openclaw-unknown-key": /Unrecognized key|unknown key/i,
  "openclaw-mode-unset": /gateway\.mode/i,
  "openclaw-port-taken":
    /port-conflict|port \d+ is (already )?in use|EADDRINUSE|another process is listening/i,
  "openclaw-database-corrupt": /not a (SQLite )?database|malformed|corrupt/i,
};

const { values } = parseArgs({
  options: { write: { type: "boolean", default: false }, only: { type: "string", multiple: true } },
});

interface Answer {
  readonly ms: number;
  readonly isNamed: boolean;
}

const asked = [
  ["clawkit doctor", ["doctor"]],
  ["openclaw doctor", ["openclaw", "doctor", "--non-interactive"]],
  ["openclaw lint", ["openclaw", "doctor", "--lint", "--all", "--json"]],
] as const;

const machine = describeMachine();
installOpenclaw((text) => console.error(text));
const rows: string[][] = [];
const times = new Map<string, number[]>();
const counts = new Map<string, number>();
for (const [id, pattern] of Object.entries(NAMED)) {
  if (values.only !== undefined && !values.only.includes(id)) continue;
  const fault = allFaults.find((one): one is OpenclawFault => one.id === id && one.on === "openclaw");
  if (fault === undefined) throw new Error(`there is no fault ${id} any more`);
  console.error(id);
  await using lab = await OpenclawLab.create();
  const call = (await fault.break(lab)) ?? {};
  const cells = [fault.title];
  for (const [name, command] of asked) {
    const answer =
      name === "clawkit doctor" ? await ours(lab, call, pattern) : await theirs(lab, command, pattern);
    console.error(`    ${name}: ${Math.round(answer.ms)} ms, ${answer.isNamed ? "named" : "not named"}`);
    cells.push(`${formatNumber(answer.ms / 1000, 1)} s, ${answer.isNamed ? "named" : "not named"}`);
    times.set(name, [...(times.get(name) ?? []), answer.ms]);
    counts.set(name, (counts.get(name) ?? 0) + Number(answer.isNamed));
  }
  rows.push(cells);
}

async function ours(lab: OpenclawLab, call: object, pattern: RegExp): Promise<Answer> {
  const { ms, report } = await lab.doctor(call);
  const said = JSON.stringify(
    report.causes.filter(({ verdict }) => verdict !== "possible" && verdict !== "ruled out"),
  );
  return { ms, isNamed: pattern.test(said) };
}

async function theirs(lab: OpenclawLab, command: readonly string[], pattern: RegExp): Promise<Answer> {
  const { ms, stdout, stderr } = await lab.output(command);
  return { ms, isNamed: pattern.test(stdout + stderr) };
}

const sums = asked.map(([name]) => {
  const median = summarize(times.get(name) ?? [])?.median ?? 0;
  return `**${name}** ${counts.get(name) ?? 0} of ${rows.length} named, median ${formatNumber(median / 1000, 1)} s`;
});
const text = `## Doctor, side by side

One plain OpenClaw 2026.9.6 per row, broken for real (\`test/faults\`), then asked one after the other: \`clawkit doctor --json\`,
\`openclaw doctor --non-interactive\` and \`openclaw doctor --lint --all --json\`. "Named": the answer says what is wrong, in
whatever words (the patterns are in \`bench/doctor/side-by-side.ts\`).

${markdownTable(["fault", ...asked.map(([name]) => name)], rows)}

${sums.join("; ")}.

${machine.cores} cores of ${machine.cpu}, ${machine.system}, Node ${machine.node}.

Repeat with: \`npm run bench:doctor -- --write\``;
console.log(text);
if (values.write) writeSection(join(import.meta.dirname, "../../docs/benchmarks.md"), "bench:doctor", text);
