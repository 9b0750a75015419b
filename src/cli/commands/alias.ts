import { access, chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { findOnPath } from "../../host/path-search.ts";
import type { CliContext } from "../context.ts";
import { ShellProfile } from "../shell-profile.ts";

export interface AliasOptions {
  readonly json?: boolean;
  /** Consent to edit the shell's profile. */
  readonly yes?: boolean;
}

const ADDED_BY = "clawkit alias";

/** Another `openclaw` may be in that folder: the state directory may be one that is used for more. */
const OUR_SCRIPT =
  /^(#!\/bin\/sh\nexec |@echo off\r\n|& )"[^"\r\n]+" "[^"\r\n]+[/\\](bin|dist)[/\\]openclaw\.[jt]s" /;

/**
 * `openclaw` as a name for ClawKit: scripts in ClawKit's own folder, which is appended to PATH, so a real
 * `openclaw`, now or later, wins.
 */
export async function aliasOn(context: CliContext, options: AliasOptions): Promise<number> {
  const { out, paths } = context;
  await mkdir(paths.binDir, { recursive: true, mode: 0o700 });
  for (const [name, text] of scripts(context)) {
    const path = join(paths.binDir, name);
    await writeFile(path, text);
    await chmod(path, 0o755);
  }
  const line = pathLine(context);
  const profile = ShellProfile.of(context, ADDED_BY);
  const editsProfile = options.yes === true && profile !== undefined;
  if (editsProfile) await profile.add(line);
  const status = await inspect(context);
  if (options.json) out.json(status);
  else if (editsProfile)
    out.line(`The alias is on; ${profile.path} was extended: open a new terminal, or run: ${line}`);
  else {
    out.line(`The alias is in ${paths.binDir}. To use it in this terminal, run:`);
    out.line(`  ${line}`);
    if (profile !== undefined)
      out.line(`To have that in every terminal (edits ${profile.path}): ${context.name} alias on --yes`);
  }
  return 0;
}

export async function aliasOff(context: CliContext, options: AliasOptions): Promise<number> {
  const { profile } = await removeAlias(context);
  if (options.json) context.out.json(await inspect(context));
  else
    context.out.line(
      `The alias is off${profile === undefined ? "" : ` and its line removed from ${profile}`}`,
    );
  return 0;
}

/** The profile is named if our line was in it. */
export async function removeAlias(context: CliContext): Promise<{ profile: string | undefined }> {
  for (const [name] of scripts(context)) {
    const path = join(context.paths.binDir, name);
    if (OUR_SCRIPT.test(await readFile(path, "utf8").catch(() => ""))) await rm(path, { force: true });
  }
  const profile = ShellProfile.of(context, ADDED_BY);
  const wasInProfile = (await profile?.remove()) ?? false;
  return { profile: wasInProfile ? profile?.path : undefined };
}

export async function aliasStatus(context: CliContext, options: AliasOptions): Promise<number> {
  const status = await inspect(context);
  if (options.json) {
    context.out.json(status);
    return 0;
  }
  context.out.line(`The alias is ${status.on ? `on, in ${status.folder}` : "off"}`);
  if (status.on && !status.onPath) context.out.line(`Its folder is not on PATH: ${pathLine(context)}`);
  if (status.openclaw !== null) context.out.line(`openclaw is ${status.openclaw}`);
  return 0;
}

async function inspect(context: CliContext) {
  const folder = context.paths.binDir;
  const [first] = scripts(context)[0]!;
  const folders = (context.env.PATH ?? "").split(delimiter);
  const inProfile = (await ShellProfile.of(context, ADDED_BY)?.hasLine()) ?? false;
  return {
    on: await exists(join(folder, first)),
    folder,
    onPath: folders.includes(folder),
    inProfile,
    openclaw: await findOpenclaw(context),
  };
}

function scripts(context: CliContext): [name: string, text: string][] {
  const { node, entry } = context.aliasTarget;
  if (context.platform !== "win32") return [["openclaw", `#!/bin/sh\nexec "${node}" "${entry}" "$@"\n`]];
  return [
    ["openclaw.cmd", `@echo off\r\n"${node}" "${entry}" %*\r\n`],
    ["openclaw.ps1", `& "${node}" "${entry}" @args\r\nexit $LASTEXITCODE\r\n`],
  ];
}

function pathLine(context: CliContext): string {
  const folder = context.paths.binDir;
  if (context.platform === "win32") return `set PATH=%PATH%;${folder}`;
  return `export PATH="$PATH:${folder}"`;
}

/** The `openclaw` that a shell finds, if any. */
export async function findOpenclaw(context: CliContext): Promise<string | null> {
  const [name] = scripts(context)[0]!;
  return (await findOnPath(name, context.env.PATH))[0] ?? null;
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
