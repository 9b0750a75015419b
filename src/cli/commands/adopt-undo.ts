import { type Adopted, findAdopted, takeBack } from "../../adopt/adoption.ts";
import { ClawkitError } from "../../core/errors.ts";
import type { Ledger } from "../../diagnosis/remedies/ledger.ts";
import { removeWrapper } from "../adopted-wrapper.ts";
import type { CliContext } from "../context.ts";
import { stopKept } from "./gateway.ts";

/** How long OpenClaw's gateway may take until it listens; a cold start takes 8 to 24 s, on a busy machine more. */
const LISTENING_MS = 120_000;
const POLL_MS = 200;

/** `clawkit adopt --undo`: OpenClaw as it was before, files byte for byte. */
export async function undoAdoption(
  context: CliContext,
  ledger: Ledger,
  options: { json?: boolean; dryRun?: boolean; isQuiet?: boolean },
): Promise<number> {
  const { out } = context;
  const adopted = await findAdopted(ledger);
  if (adopted === undefined) {
    throw new ClawkitError(
      "NOTHING_RECORDED",
      "Cannot undo an adoption as none is on record: an upstream that was set by hand is in gateway.upstream (clawkit config path)",
    );
  }
  const files = adopted.entries.flatMap(({ undo }) =>
    undo.flatMap((step) => ("path" in step ? [step.path] : [])),
  );
  if (options.dryRun) {
    if (options.json) out.json({ ok: true, state: "planned", files, starts: adopted.wasRunning });
    else {
      out.line("What --undo does:");
      for (const path of files) out.line(`  - puts back ${path}`);
      out.line("  - stops ClawKit's gateway, and takes its openclaw out of the PATH");
      if (adopted.wasRunning) out.line(`  - starts OpenClaw's own gateway again: ${startCommand(adopted)}`);
    }
    return 0;
  }
  await stopKept(context);
  const done = [...(await takeBack(ledger, adopted)), ...(await removeWrapper(context))];
  const start = startCommand(adopted);
  const isStarted = adopted.wasRunning && (await startAgain(context, adopted));
  if (options.json) out.json({ ok: true, state: "undone", done, started: isStarted, start });
  else if (options.isQuiet !== true) {
    for (const line of done) out.line(line);
    out.line(
      isStarted
        ? `OpenClaw's own gateway runs again, in the background. To have it in a terminal: stop it, and run ${start}`
        : `OpenClaw is started as before: ${start}`,
    );
  }
  return 0;
}

function startCommand({ command, port }: Adopted): string {
  const program = command.length === 0 ? "openclaw" : command.join(" ");
  return `${program} gateway run${port === 0 ? "" : ` --port ${port}`}`;
}

/** It ran when it was adopted, so it runs when that is taken back. */
async function startAgain(context: CliContext, { command, port }: Adopted): Promise<boolean> {
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
