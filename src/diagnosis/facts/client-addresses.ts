import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setInText } from "../../config/edit.ts";
import { parseJson5 } from "../../config/parse.ts";
import type { Machine } from "../machine.ts";

/** Where a file of OpenClaw's sends the clients of this machine. */
export interface ClientAddress {
  readonly path: string;
  /** The key, or the variable. */
  readonly name: string;
  readonly url: string;
  /** The file's text with another address in its place, and everything else as it was. */
  readonly withUrl: (text: string, url: string) => string;
}

const VARIABLE = "OPENCLAW_GATEWAY_URL";

/** OpenClaw reads its variables from these places (docs.openclaw.ai/help/environment). */
const VARIABLE_KEYS = [
  ["env", VARIABLE],
  ["env", "vars", VARIABLE],
];

const DOTENV_LINE = new RegExp(`^(\\s*(?:export\\s+)?${VARIABLE}\\s*=\\s*)(["']?)([^"'\\s#]+)\\2`, "m");

export async function clientAddresses(machine: Machine): Promise<ClientAddress[]> {
  const [folder] = machine.openclawDirs;
  const inFolder = folder === undefined ? [] : await inDotenv(join(folder, ".env"));
  return [...(await inConfig(machine.openclawConfigPath)), ...inFolder];
}

async function inConfig(path: string): Promise<ClientAddress[]> {
  const config = await readConfig(path);
  const at = (keys: readonly string[]): ClientAddress[] => {
    const url = keys.reduce(
      (value: unknown, key) => (value as Record<string, unknown> | undefined)?.[key],
      config,
    );
    if (typeof url !== "string") return [];
    const withUrl = (text: string, next: string) => setInText(text, keys, JSON.stringify(next));
    return [{ path, name: keys.join("."), url, withUrl }];
  };
  const gateway = config?.gateway as { mode?: unknown; remote?: Record<string, unknown> } | undefined;
  // with ssh the near end of OpenClaw's own tunnel is there
  const isTunnel = gateway?.remote?.transport === "ssh" || gateway?.remote?.sshTarget !== undefined;
  const isRemote = gateway?.mode === "remote" && !isTunnel;
  return [...(isRemote ? at(["gateway", "remote", "url"]) : []), ...VARIABLE_KEYS.flatMap(at)];
}

async function inDotenv(path: string): Promise<ClientAddress[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  const url = DOTENV_LINE.exec(text)?.[3];
  if (url === undefined) return [];
  const withUrl = (before: string, next: string) =>
    before.replace(DOTENV_LINE, (_, name: string, quote: string) => `${name}${quote}${next}${quote}`);
  return [{ path, name: VARIABLE, url, withUrl }];
}

/** OpenClaw's config; undefined if there is none that can be read. */
export async function readConfig(path: string): Promise<Record<string, unknown> | undefined> {
  const text = await readFile(path, "utf8").catch(() => "");
  try {
    return (parseJson5({ path, text }) ?? undefined) as Record<string, unknown> | undefined;
  } catch {
    return undefined; // that is a finding of its own
  }
}
