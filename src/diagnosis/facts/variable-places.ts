import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Machine } from "../machine.ts";

/** Files of a home directory that shells, and systemd's user manager, take variables from. */
const HOME_FILES = [
  ".bashrc",
  ".bash_profile",
  ".bash_login",
  ".profile",
  ".zshenv",
  ".zprofile",
  ".zshrc",
  ".config/fish/config.fish",
];
const ENVIRONMENT_D = ".config/environment.d";
const SYSTEM_FILE = "/etc/environment";

/** Where a variable is set, as `file:line`. On Windows the registry has it, which is not looked at. */
export async function placesOf(name: string, { home, platform }: Machine): Promise<string[]> {
  if (platform === "win32") return [];
  const folder = join(home, ENVIRONMENT_D);
  const names = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith(".conf"));
  const paths = [
    ...HOME_FILES.map((file) => join(home, file)),
    ...names.map((file) => join(folder, file)),
    SYSTEM_FILE,
  ];
  const found = await Promise.all(paths.map((path) => linesOf(path, name)));
  return found.flat();
}

async function linesOf(path: string, name: string): Promise<string[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  const sets = new RegExp(
    `^\\s*(?:(?:export|declare -x|typeset -x)\\s+)?${name}=|^\\s*set\\s+-\\S*x\\S*\\s+${name}\\s`,
  );
  return text.split("\n").flatMap((line, index) => (sets.test(line) ? [`${path}:${index + 1}`] : []));
}
