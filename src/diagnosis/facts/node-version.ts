import { stat } from "node:fs/promises";
import { runCommand } from "../../host/command.ts";
import { compareVersions } from "./versions.ts";

const OTHERS_WRITE = 0o022;

/**
 * The version of a Node. Only a program that nobody but root and this user may change is run: a service may name
 * any. Undefined for others, and for what is no Node.
 */
export async function nodeVersion(path: string, uid: number | undefined): Promise<string | undefined> {
  const facts = await stat(path).catch(() => undefined);
  if (!facts?.isFile()) return undefined;
  const isTrusted = [0, uid].includes(facts.uid) && (facts.mode & OTHERS_WRITE) === 0;
  if (uid !== undefined && !isTrusted) return undefined;
  const printed = await runCommand(path, ["--version"], { environment: { NODE_OPTIONS: undefined } }).catch(
    () => undefined,
  );
  return /^v(\d+\.\d+\.\d+)/.exec(printed ?? "")?.[1];
}

/** Whether a version is in a range of npm, such as `>=24.16.0 <25 || >=26.1.0`; undefined for one we cannot read. */
export function isInRange(version: string, range: string): boolean | undefined {
  const parts = range.split("||").map((part) => part.trim().split(/\s+/).map(comparatorOf));
  if (parts.flat().includes(undefined)) return undefined;
  return parts.some((part) => part.every((comparator) => comparator!(version)));
}

function comparatorOf(text: string): ((version: string) => boolean) | undefined {
  const [, sign, bound] = /^(>=|<=|>|<)v?(\d+(?:\.\d+){0,2})$/.exec(text) ?? [];
  if (sign === undefined) return undefined;
  return (version) => {
    const difference = compareVersions(version, bound!);
    if (sign === ">=") return difference >= 0;
    if (sign === "<=") return difference <= 0;
    return sign === ">" ? difference > 0 : difference < 0;
  };
}
