import { type Adopted, findAdopted, refuseUnreadable, takeBack } from "../../adopt/adoption.ts";
import { ClawkitError } from "../../core/errors.ts";
import { shellWord } from "../../core/shell-word.ts";
import type { Ledger } from "../../diagnosis/remedies/ledger.ts";
import { alone } from "../adopt-lock.ts";
import { removeWrapper } from "../adopted-wrapper.ts";
import type { CliContext } from "../context.ts";
import { installedService } from "../service.ts";
import { stopKept } from "./gateway.ts";

/** How long OpenClaw's gateway may take until it listens; a cold start takes 8 to 24 s, on a busy machine more. */
const LISTENING_MS = 120_000;
const POLL_MS = 200;

/** `clawkit adopt --undo`: OpenClaw as it was before, files byte for byte. */
export async function undoAdoption(
  context: CliContext,
  ledger: Ledger,
  options: { json?: boolean; dryRun?: boolean },
): Promise<number> {
  const { out } = context;
  const adopted = await findAdopted(ledger);
  if (adopted === undefined) {
    throw new ClawkitError(
      "NOTHING_RECORDED",
      "Cannot undo an adoption as none is on record: an upstream that was set by hand is in gateway.upstream (clawkit config path)",
    );
  }
  await refuseUnreadable(adopted);
  await refuseService(context, adopted);
  if (options.dryRun) return describeUndo(context, options, adopted);
  const { done, isStarted } = await alone(context, async () => ({
    done: await takeAllBack(context, ledger, adopted),
    isStarted: adopted.wasRunning && (await startAgain(context, adopted)),
  }));
  const start = startCommand(adopted);
  if (options.json) {
    out.json({ ok: true, state: "undone", done, started: isStarted, start });
    return 0;
  }
  for (const line of done) out.line(line);
  if (isStarted) {
    out.line(
      `OpenClaw's own gateway runs again, in the background. To have it in a terminal: stop it, and run ${start}`,
    );
  } else if (adopted.wasRunning)
    out.line(`OpenClaw's own gateway does not listen yet; it is started by: ${start}`);
  else out.line(`OpenClaw is started as before: ${start}`);
  return 0;
}

/** Everything but the start of OpenClaw's own gateway. Returns what was done, for people. */
export async function takeAllBack(context: CliContext, ledger: Ledger, adopted: Adopted): Promise<string[]> {
  await stopKept(context);
  return [...(await takeBack(ledger, adopted)), ...(await removeWrapper(context))];
}

/** Without its config the service would put a gateway of ClawKit's own on OpenClaw's port, at the next boot. */
async function refuseService(context: CliContext, { entries }: Adopted): Promise<void> {
  const leavesNoConfig = entries.some(({ undo }) =>
    undo.some((step) => step.kind === "restore" && step.path === context.paths.config && step.copy === null),
  );
  const service = leavesNoConfig ? await installedService(context) : undefined;
  if (service === undefined) return;
  throw new ClawkitError(
    "SERVICE_UNAVAILABLE",
    `Cannot undo the adoption while ${service.service} (${service.name}) is installed: it would take OpenClaw's port again. First: clawkit gateway uninstall`,
  );
}

function describeUndo({ out }: CliContext, { json }: { json?: boolean }, adopted: Adopted): number {
  const files = adopted.entries.flatMap(({ undo }) =>
    undo.flatMap((step) => ("path" in step ? [step.path] : [])),
  );
  if (json) out.json({ ok: true, state: "planned", files, starts: adopted.wasRunning });
  else {
    out.line("What --undo does:");
    for (const path of files) out.line(`  - puts back ${path}`);
    out.line("  - stops ClawKit's gateway, and takes its openclaw out of the PATH");
    if (adopted.wasRunning) out.line(`  - starts OpenClaw's own gateway again: ${startCommand(adopted)}`);
  }
  return 0;
}

/** What starts OpenClaw's own gateway, for people. */
export function startCommand({ command, port }: Adopted): string {
  const program = command.length === 0 ? "openclaw" : command.map(shellWord).join(" ");
  return `${program} gateway run${port === 0 ? "" : ` --port ${port}`}`;
}

/** It ran when it was adopted, so it runs when that is taken back. */
export async function startAgain(context: CliContext, { command, port }: Adopted): Promise<boolean> {
  const [program, ...args] = command;
  if (program === undefined || (await context.host.portOwners(port)).length > 0) return false;
  await context.launch(program, [...args, "gateway", "run", "--port", String(port)]);
  context.out.progress("starting OpenClaw's own gateway");
  for (let waited = 0; waited < LISTENING_MS; waited += POLL_MS) {
    if ((await context.host.portOwners(port)).length > 0) return true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return false;
}
