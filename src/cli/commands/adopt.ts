import { type Adoption, carryOut, findAdopted, takeBack } from "../../adopt/adoption.ts";
import { ownConfigChange, trustChange } from "../../adopt/changes.ts";
import { COMMAND_FATES } from "../../adopt/commands.ts";
import { findInstallation, type Installation } from "../../adopt/installation.ts";
import { type Obstacle, obstaclesFor } from "../../adopt/obstacles.ts";
import { bindOf, isOpenToOthers } from "../../adopt/place.ts";
import { stopGateway } from "../../adopt/stop-gateway.ts";
import { resolveConfig } from "../../config/resolve.ts";
import { ClawkitError, messageOf } from "../../core/errors.ts";
import { Ledger } from "../../diagnosis/remedies/ledger.ts";
import { installWrapper, whyNoWrapper } from "../adopted-wrapper.ts";
import { readConfigSource } from "../config-file.ts";
import type { CliContext } from "../context.ts";
import { machineOf } from "../machine.ts";
import { tableLines } from "../output/table.ts";
import { currentStatus } from "../running.ts";
import { undoAdoption } from "./adopt-undo.ts";
import { actionsOf } from "./doctor.ts";
import { bringUp } from "./gateway.ts";

export interface AdoptOptions {
  readonly dryRun?: boolean;
  readonly undo?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `clawkit adopt`: puts the OpenClaw of this machine behind the edge. Exit 0 done, 1 not done. */
export async function adopt(context: CliContext, options: AdoptOptions): Promise<number> {
  const { out, paths } = context;
  const ledger = new Ledger(paths.stateDir, () => context.clock.wall());
  if (options.undo) return await undoAdoption(context, ledger, options);
  if (!options.dryRun) await finishInterrupted(context, ledger);
  const machine = await machineOf(context);
  const found = await findInstallation(machine, context.openclawSearch);
  const obstacles = await obstaclesFor(found, machine);
  if (obstacles.length > 0) return refuse(context, options, obstacles);

  const plan = await planOf(context, found, false);
  if (!options.json) describe(context, found, plan);
  if (options.dryRun) {
    if (options.json) out.json({ ok: true, state: "planned", ...planJson(found, plan) });
    return 0;
  }
  const ask = asker(context, options);
  if (!(await ask("Go on?"))) {
    if (options.json) out.json({ ok: false, state: "declined", ...planJson(found, plan) });
    else out.line("Nothing was changed (--yes goes on without asking)");
    return 1;
  }
  const repairRefusals = await ask(
    "If a start is ever refused (exit 78): may OpenClaw's own doctor --fix run once, before the next try?",
  );
  const { adoption } = await planOf(context, found, repairRefusals);
  const [running] = found.running;
  const actions = actionsOf(context);
  const stop =
    running === undefined
      ? undefined
      : async () => {
          out.progress(`asking OpenClaw's gateway to stop (pid ${running.facts.pid})`);
          await stopGateway(running.facts, machine, actions);
        };
  await carryOut(ledger, { ...adoption, stop });
  await startOrGoBack(context, ledger);
  await report(context, options, { found, plan, ask });
  return 0;
}

interface PlannedAdoption {
  readonly adoption: Omit<Adoption, "stop">;
  readonly notes: readonly string[];
}

async function planOf(
  context: CliContext,
  found: Installation,
  repairRefusals: boolean,
): Promise<PlannedAdoption> {
  const { gateway, command } = found;
  if ("problem" in gateway || command === undefined) throw new Error("an obstacle was passed over");
  const place = bindOf(found, gateway);
  if (typeof place === "string") throw new Error(place);
  const wishes = { bind: place.bind, repairRefusals };
  const own = ownConfigChange(await readConfigSource(context.paths), found, gateway, wishes);
  resolveConfig({ path: own.path, text: own.after }, context.env); // throws what is wrong with it
  const trust = trustChange(found, gateway, wishes);
  const notes = [
    ...(isOpenToOthers(place.bind)
      ? [`other machines reach the edge (${place.bind}), and OpenClaw is told who they are`]
      : []),
    ...(gateway.allowedOrigins.includes("*")
      ? [
          'gateway.controlUi.allowedOrigins has "*": the edge lets no page in that is not listed in gateway.allowedOrigins',
        ]
      : []),
    ...(["serve", "funnel"].includes(gateway.tailscaleMode ?? "")
      ? [
          `gateway.tailscale.mode is ${gateway.tailscaleMode}: Tailscale goes on leading to OpenClaw itself, past the edge`,
        ]
      : []),
  ];
  return {
    adoption: { own, lastValidConfig: context.paths.lastValidConfig, trust, command, port: found.port },
    notes,
  };
}

/** In plain words, before anybody is asked. */
function describe({ out }: CliContext, found: Installation, { adoption, notes }: PlannedAdoption): void {
  const { own, trust, port } = adoption;
  const [running] = found.running;
  out.line(`OpenClaw ${found.version ?? "of an unknown version"}: ${found.command?.join(" ")}, port ${port}`);
  out.line("What changes:");
  const say = (text: string) => out.line(`  - ${text}`);
  if (running !== undefined) {
    say(`its gateway (pid ${running.facts.pid}) is asked to stop; it may finish its work first, up to 330 s`);
  }
  say(`ClawKit takes port ${port}, and starts the gateway behind it on a free loopback port`);
  if (running !== undefined)
    say("clients are told 1012 once, and reconnect; until ClawKit listens, about a second, they are refused");
  say(`${own.path} is written:`);
  for (const line of own.diff) out.line(`      ${line}`);
  if (trust === undefined) say(`${found.configPath} stays as it is`);
  else {
    say(`${trust.path} is changed, as remote clients need it:`);
    for (const line of trust.diff) out.line(`      ${line}`);
  }
  for (const note of notes) say(note);
  say("everything is put back by: clawkit adopt --undo");
}

function planJson(found: Installation, { adoption, notes }: PlannedAdoption) {
  const { own, trust, port, command } = adoption;
  const files = [own, ...(trust === undefined ? [] : [trust])];
  return {
    openclaw: { command, version: found.version ?? null, config: found.configPath, port },
    stops: found.running.map(({ facts }) => facts.pid),
    changes: files.map(({ path, diff, before }) => ({ path, isNew: before === undefined, diff })),
    notes,
    commands: COMMAND_FATES,
  };
}

function refuse({ out }: CliContext, { json }: AdoptOptions, obstacles: readonly Obstacle[]): number {
  if (json) {
    out.json({ ok: false, state: "refused", obstacles });
    return 1;
  }
  out.error("Cannot adopt OpenClaw as it is; nothing was changed");
  for (const { text, commands } of obstacles) {
    out.line(`- ${text}`);
    for (const command of commands) out.line(`    ${command}`);
  }
  return 1;
}

/** `--yes` says yes to everything that is asked; whoever cannot be asked says no. */
function asker(context: CliContext, { yes, json }: AdoptOptions): (question: string) => Promise<boolean> {
  const { out, stdin } = context;
  return async (question) => {
    if (yes) return true;
    if (json || !out.isTerminal || stdin.isTTY !== true) return false;
    return await context.ask(question);
  };
}

/** An adoption that was cut off is taken back first: its files are old or new, and now all old. */
async function finishInterrupted(context: CliContext, ledger: Ledger): Promise<void> {
  const adopted = await findAdopted(ledger);
  const isInForce = adopted?.entries.some(({ repair, state }) => repair === "adopt" && state === "done");
  if (adopted === undefined || isInForce || (await context.supervisorPid()) !== undefined) return;
  context.out.progress("taking back an adoption that was interrupted");
  await takeBack(ledger, adopted);
}

/** An adoption that does not serve is none: then OpenClaw has its place back. */
async function startOrGoBack(context: CliContext, ledger: Ledger): Promise<void> {
  try {
    await bringUp(context, await currentStatus(context));
  } catch (error) {
    context.out.error(`The gateway does not come up behind ClawKit: ${messageOf(error)}`);
    await undoAdoption(context, ledger, { isQuiet: true });
    throw new ClawkitError(
      "CANNOT_ADOPT",
      "OpenClaw is as it was before; what its gateway said is in: clawkit logs",
      { cause: error },
    );
  }
}

async function report(
  context: CliContext,
  options: AdoptOptions,
  {
    found,
    plan,
    ask,
  }: { found: Installation; plan: PlannedAdoption; ask: (question: string) => Promise<boolean> },
): Promise<void> {
  const { out } = context;
  const rows = COMMAND_FATES.map(({ command, does }) => [command, does]);
  if (!options.json) {
    out.line(`OpenClaw is behind ClawKit, on port ${found.port}. From now on:`);
    for (const line of tableLines(rows)) out.line(`  ${line}`);
  }
  const why = whyNoWrapper(context);
  const isWanted =
    why === undefined &&
    (await ask(
      "May I put an openclaw before the real one in your PATH, that sends `gateway start` and `gateway stop` to ClawKit?",
    ));
  const line = isWanted ? await installWrapper(context, plan.adoption.command) : undefined;
  if (options.json) {
    out.json({ ok: true, state: "adopted", ...planJson(found, plan), wrapper: line ?? null });
    return;
  }
  if (line === undefined) {
    if (why !== undefined) out.line(`No wrapper for openclaw is offered: ${why}`);
    return;
  }
  out.line(`In new terminals, and here after \`${line}\`:`);
  for (const { command, wrapped } of COMMAND_FATES)
    if (wrapped !== undefined) out.line(`  ${command}: ${wrapped}`);
}
