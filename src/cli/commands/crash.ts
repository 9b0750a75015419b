import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { ClawkitError, messageOf, systemErrorCode } from "../../core/errors.ts";
import { withoutHome, withoutSecrets, withoutSecretsIn } from "../../core/secrets.ts";
import { VERSION } from "../../core/version.ts";
import { type Crash, listCrashes } from "../../supervisor/crashes.ts";
import type { CliContext } from "../context.ts";
import { tableLines } from "../output/table.ts";
import { words } from "../recorded.ts";

const PRIVATE_FILE = 0o600;

/** Of its own output, the lines that `show` prints. */
const SHOWN_LINES = 15;

interface CrashOptions {
  readonly json?: boolean;
}

export async function crashList(context: CliContext, options: CrashOptions): Promise<number> {
  const crashes = await listCrashes(context.paths.crashesDir);
  const { out } = context;
  if (options.json) {
    out.json(crashes);
    return 0;
  }
  if (crashes.length === 0) {
    out.line("No crash is recorded");
    return 0;
  }
  const rows = crashes.map((crash) => [
    crash.name,
    words.time(Date.parse(crash.endedAt)),
    crash.role,
    words.duration(crash.uptimeMs),
    crash.exit.cause,
    crash.exit.summary,
  ]);
  const lines = tableLines([["crash", "when", "who", "lived", "cause", "what"], ...rows]);
  for (const [index, line] of lines.entries()) out.line(index === 0 ? out.style("dim", line) : line);
  return 0;
}

/** `clawkit crash show [name]`: the last one without a name. */
export async function crashShow(
  context: CliContext,
  name: string | undefined,
  options: CrashOptions,
): Promise<number> {
  const crash = await findCrash(context, name);
  const folder = join(context.paths.crashesDir, crash.name);
  const output = await readFile(join(folder, "output.log"), "utf8").catch(() => "");
  const { out } = context;
  if (options.json) {
    out.json({ ...crash, folder, output: output.split("\n").slice(0, -1) });
    return 0;
  }
  const { exit } = crash;
  out.line(out.style("bold", `The ${crash.role} ended: ${exit.summary}`));
  const row = (heading: string, lines: readonly string[]) => {
    for (const [index, line] of lines.entries()) {
      out.line(`  ${out.style("dim", (index === 0 ? heading : "").padEnd(15))}${line}`);
    }
  };
  row("when", [
    `${words.time(Date.parse(crash.endedAt))}, ${words.duration(crash.uptimeMs)} after its start`,
  ]);
  row("who", [`generation ${crash.generation}, pid ${crash.pid}: ${crash.command}`]);
  row("cause", [`${exit.cause}${exit.kind === null ? "" : `, ${exit.kind}`} (${exit.verdict})`]);
  row("evidence", exit.evidence);
  row("not known", exit.unknown);
  row("memory", memoryLines(crash));
  row("last words", output.split("\n").slice(0, -1).slice(-SHOWN_LINES));
  row("files", [`${folder}: ${(await readdir(folder)).sort().join(", ")}`]);
  return 0;
}

/** `clawkit crash export [name]`: a zip archive without secrets, for a bug report. */
export async function crashExport(
  context: CliContext,
  name: string | undefined,
  options: CrashOptions & { readonly output?: string },
): Promise<number> {
  const { zipSync } = await import("fflate");
  const crash = await findCrash(context, name);
  const folder = join(context.paths.crashesDir, crash.name);
  const about = { clawkit: VERSION, platform: context.platform, crash: crash.name };
  const files: Record<string, Uint8Array> = { [`${crash.name}/about.json`]: bytesOf(JSON.stringify(about)) };
  for (const file of (await readdir(folder)).sort()) {
    // once more: a crash folder of an older version may know fewer shapes of secrets, or have been edited
    const text = cleaned(file, await readFile(join(folder, file), "utf8"));
    files[`${crash.name}/${file}`] = bytesOf(withoutHome(text, context.home));
  }
  const target = resolve(options.output ?? `clawkit-crash-${crash.name}.zip`);
  try {
    await writeFile(target, zipSync(files), { mode: PRIVATE_FILE, flag: "wx" });
  } catch (cause) {
    const why =
      systemErrorCode(cause) === "EEXIST"
        ? "it is there already: name another with --output"
        : messageOf(cause);
    throw new ClawkitError("USAGE", `Cannot write ${target}: ${why}`, { cause });
  }
  if (options.json) context.out.json({ file: target, files: Object.keys(files) });
  else {
    context.out.line(
      `Wrote ${target} (${Object.keys(files)
        .map((file) => basename(file))
        .join(", ")})`,
    );
    context.out.line(
      "What looks like a secret was removed; read it once more before you send it to somebody.",
    );
  }
  return 0;
}

async function findCrash(context: CliContext, name: string | undefined): Promise<Crash> {
  const crashes = await listCrashes(context.paths.crashesDir);
  const found = name === undefined ? crashes[0] : crashes.find((crash) => crash.name === name);
  if (found !== undefined) return found;
  throw new ClawkitError(
    "NOTHING_RECORDED",
    name === undefined
      ? "Cannot show a crash as none is recorded"
      : `Cannot find a crash named ${JSON.stringify(name)}: see clawkit crash list`,
  );
}

function memoryLines(crash: Crash): string[] {
  const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`;
  const lines: string[] = [];
  if (crash.peakRssBytes !== null) lines.push(`RSS at most ${megabytes(crash.peakRssBytes)}`);
  if (crash.peakHeapBytes !== null) lines.push(`heap at most ${megabytes(crash.peakHeapBytes)}`);
  const { after } = crash.cgroup;
  if (after?.limitBytes !== undefined)
    lines.push(`cgroup limit ${megabytes(after.limitBytes)} (${after.path})`);
  return lines;
}

/** JSON is cleaned value by value; what claims to be JSON and is not, as text. */
function cleaned(file: string, text: string): string {
  if (!file.endsWith(".json")) return withoutSecrets(text);
  try {
    return JSON.stringify(withoutSecretsIn(JSON.parse(text)), null, 2);
  } catch {
    return withoutSecrets(text);
  }
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
