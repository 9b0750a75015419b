import { type Adopted, type Adoption, carryOut, findAdopted, takeBack } from "../../adopt/adoption.ts";
import { ownConfigChange, trustChange } from "../../adopt/changes.ts";
import { COMMAND_FATES } from "../../adopt/commands.ts";
import { findInstallation, type Installation, type RunningGateway } from "../../adopt/installation.ts";
import { type Obstacle, obstaclesFor } from "../../adopt/obstacles.ts";
import { bindOf, isOpenToOthers } from "../../adopt/place.ts";
import { isGone, stopGateway } from "../../adopt/stop-gateway.ts";
import { resolveConfig } from "../../config/resolve.ts";
import { ClawkitError, messageOf } from "../../core/errors.ts";
import type { Machine } from "../../diagnosis/machine.ts";
import { Ledger } from "../../diagnosis/remedies/ledger.ts";
import type { HandOver } from "../../supervisor/detach.ts";
import { alone } from "../adopt-lock.ts";
import { installWrapper, whyNoWrapper } from "../adopted-wrapper.ts";
import { readConfigSource } from "../config-file.ts";
import type { CliContext } from "../context.ts";
import { machineOf } from "../machine.ts";
import { tableLines } from "../output/table.ts";
import { installedService } from "../service.ts";
import { OPENCLAW_ONLY } from "../service-environment.ts";
import { startAgain, startCommand, takeAllBack, undoAdoption } from "./adopt-undo.ts";
import { actionsOf } from "./doctor.ts";
import { startSupervisor, untilServed } from "./gateway.ts";

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
  await alone(context, () => carryOutOrGoBack(context, ledger, { found, adoption, machine }));
  await report(context, options, { found, plan, ask });
  return 0;
}

type Planned = Omit<Adoption, "stop" | "start">;

interface PlannedAdoption {
  readonly adoption: Planned;
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
  const config = resolveConfig({ path: own.path, text: own.after }, context.env); // throws what is wrong with it
  if (config.gateway.port !== found.port) {
    throw new ClawkitError(
      "USAGE",
      `CLAWKIT_GATEWAY_PORT is ${config.gateway.port} in this shell, and OpenClaw's port is ${found.port}: unset it`,
    );
  }
  const trust = trustChange(found, gateway, wishes);
  const notes = [
    ...OPENCLAW_ONLY.filter((name) => context.env[name]).map(
      (name) => `${name} is set in this shell: clawkit gateway start needs it too, from now on`,
    ),
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
    say("clients are told 1012 once, and reconnect: from then on they wait in ClawKit until it is ready");
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
  if ((await interrupted(context, ledger)) === undefined) return;
  await alone(context, async () => {
    const adopted = await interrupted(context, ledger);
    if (adopted === undefined) return;
    context.out.progress("taking back an adoption that was interrupted");
    await takeBack(ledger, adopted);
    if (adopted.wasRunning)
      context.out.progress(`it had stopped OpenClaw's gateway: ${startCommand(adopted)}`);
  });
}

async function interrupted(context: CliContext, ledger: Ledger): Promise<Adopted | undefined> {
  const adopted = await findAdopted(ledger);
  if (adopted === undefined || adopted.isInForce) return undefined;
  return (await context.supervisorPid()) === undefined ? adopted : undefined;
}

/** An adoption that does not serve is none: then OpenClaw has its place back. */
async function carryOutOrGoBack(
  context: CliContext,
  ledger: Ledger,
  { found, adoption, machine }: { found: Installation; adoption: Planned; machine: Machine },
): Promise<void> {
  const { out, interrupted } = context;
  const [running] = found.running;
  let isAsked = false;
  const stop: HandOver = async (signal) => {
    isAsked = true;
    out.progress(`asking OpenClaw's gateway to stop (pid ${running!.facts.pid})`);
    const deps = { host: machine.host, send: actionsOf(context).signal };
    await stopGateway(running!.facts, deps, AbortSignal.any([signal, interrupted]));
  };
  try {
    await carryOut(ledger, {
      ...adoption,
      stop: running === undefined ? undefined : stop,
      start: (handOver) => startSupervisor(context, handOver),
    });
    await Promise.race([untilServed(context), interruption(interrupted)]);
  } catch (error) {
    out.error(`OpenClaw is not adopted: ${messageOf(error)}`);
    const result = await goBack(context, ledger, isAsked ? running : undefined);
    throw new ClawkitError("CANNOT_ADOPT", result, { cause: error });
  }
}

function interruption(signal: AbortSignal): Promise<never> {
  const error = new ClawkitError("CANNOT_ADOPT", "it was interrupted");
  return new Promise((_, reject) => {
    if (signal.aborted) reject(error);
    else signal.addEventListener("abort", () => reject(error), { once: true });
  });
}

/** `asked` was asked to stop. Returns what there is now. */
async function goBack(
  context: CliContext,
  ledger: Ledger,
  asked: RunningGateway | undefined,
): Promise<string> {
  const adopted = await findAdopted(ledger);
  if (adopted === undefined) return "Nothing was changed";
  await takeAllBack(context, ledger, adopted);
  const why = "what ClawKit and its gateway said is in: clawkit logs";
  if (asked === undefined) return `OpenClaw is as it was before; ${why}`;
  if (!(await isGone(asked.facts, context.host)))
    return `The files are as they were; OpenClaw's gateway (pid ${asked.facts.pid}) was asked to stop and will. Then: ${startCommand(adopted)}`;
  if (await startAgain(context, adopted)) return `OpenClaw is as it was before; ${why}`;
  return `The files are as they were, but OpenClaw's gateway does not listen again: ${startCommand(adopted)}; ${why}`;
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
    if ((await installedService(context)) === undefined)
      out.line("It runs until the machine restarts. To have it started then too: clawkit gateway install");
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
