import { chmod, stat } from "node:fs/promises";
import type { Plan } from "../remedies/types.ts";
import type { Advice } from "./types.ts";

const OTHERS_MAY = 0o077;

/** Of each path that is there. `risk`: another program's files are only touched with consent. */
export async function permissionAdvice(paths: readonly string[], risk: Plan["risk"]): Promise<Advice[]> {
  const found = await Promise.all(
    paths.map(async (path): Promise<Advice | undefined> => {
      const facts = await stat(path).catch(() => undefined);
      if (facts === undefined) return undefined;
      const mode = facts.mode & 0o7777;
      const base = {
        id: "permissions",
        title: `Only its owner reads ${path}`,
        reason: "tokens, logs and addresses of clients are in there",
        current: octal(mode),
      };
      if ((mode & OTHERS_MAY) === 0) return { ...base, state: "ok" };
      const wanted = mode & ~OTHERS_MAY;
      const plan: Plan = {
        what: `let nobody but its owner read ${path}`,
        risk,
        undo: [{ kind: "mode", path, mode }],
        diff: [`~ mode: ${octal(mode)} → ${octal(wanted)}`],
        apply: () => chmod(path, wanted),
      };
      return { ...base, state: "change", plan };
    }),
  );
  return found.filter((advice) => advice !== undefined);
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
