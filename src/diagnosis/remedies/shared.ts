import { readFile } from "node:fs/promises";
import { parseJson5 } from "../../config/parse.ts";
import { ClawkitError } from "../../core/errors.ts";
import { replaceFile } from "../../host/files.ts";
import type { Examination } from "../doctor.ts";
import type { Machine } from "../machine.ts";
import type { Fact } from "../types.ts";

/** Whether any of these facts was found. */
export function has({ facts }: Examination, ...ids: readonly string[]): boolean {
  return facts.some(({ id }) => ids.includes(id));
}

export function factsNamed({ facts }: Examination, id: string): readonly Fact[] {
  return facts.filter((fact) => fact.id === id);
}

/** Keys that are shown of a change. */
const MAX_LINES = 12;

/**
 * The keys that differ between two configs, `-` gone, `+` new, `~` changed. Values are only shown of the keys
 * that are `shown`: any other may be a secret, whatever it is called.
 */
export function changedKeys(
  before: string,
  after: string,
  shown: readonly string[] | ((key: string) => boolean) = [],
): string[] {
  const isShown = typeof shown === "function" ? shown : (key: string) => shown.includes(key);
  const [old, now] = [leavesOf(before), leavesOf(after)];
  if (old === undefined || now === undefined) return ["~ the whole file: it cannot be read as it is"];
  const value = (leaves: ReadonlyMap<string, string>, key: string) =>
    isShown(key) ? `: ${leaves.get(key)}` : "";
  const change = (key: string) => (isShown(key) ? `: ${old.get(key)} → ${now.get(key)}` : "");
  const lines = [...new Set([...old.keys(), ...now.keys()])].flatMap((key) => {
    if (!now.has(key)) return [`- ${key}${value(old, key)}`];
    if (!old.has(key)) return [`+ ${key}${value(now, key)}`];
    return old.get(key) === now.get(key) ? [] : [`~ ${key}${change(key)}`];
  });
  const more = lines.length - MAX_LINES;
  return more > 0 ? [...lines.slice(0, MAX_LINES), `… ${more} more keys`] : lines;
}

function leavesOf(text: string): Map<string, string> | undefined {
  const leaves = new Map<string, string>();
  const walk = (value: unknown, path: string) => {
    if (typeof value !== "object" || value === null) leaves.set(path, JSON.stringify(value));
    else for (const [key, inner] of Object.entries(value)) walk(inner, path === "" ? key : `${path}.${key}`);
  };
  try {
    walk(parseJson5({ path: "", text }), "");
    return leaves;
  } catch {
    return undefined;
  }
}

/** Replaces a file, if it still is what the plan was made from: somebody may have edited it meanwhile. */
export async function replaceUnchanged(path: string, before: string, after: string): Promise<void> {
  const now = await readFile(path, "utf8").catch(() => "");
  if (now !== before) {
    throw new ClawkitError(
      "CONFIG_UNWRITABLE",
      `${path} was changed meanwhile: nothing was written; look again`,
    );
  }
  await replaceFile(path, after);
}

/** Facts with which a start would end at once, or take the place of a gateway that is coming. */
const IN_THE_WAY = [
  "openclaw-config-broken",
  "openclaw-mode-unset",
  "openclaw-mode-unknown",
  "openclaw-bind-unsafe",
  "openclaw-config-unreadable",
  "lock-of-another",
  "lock-held",
  "gateway-young",
  "family-lives",
  "service-running",
  "container-of-gateway",
  "disk-full",
  "folder-not-writable",
  "database-broken",
];

/** Also for an address that is not the configured one: a start would be on another port than was asked. */
export async function startIsInTheWay(machine: Machine, examination: Examination): Promise<boolean> {
  return has(examination, ...IN_THE_WAY) || (await machine.configuredPort()) !== machine.target.port;
}
