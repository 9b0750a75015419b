import type { Plan } from "../diagnosis/remedies/types.ts";
import type { CliContext } from "./context.ts";

export interface ConsentOptions {
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly nonInteractive?: boolean;
}

/** Whether a plan that is not safe may be carried out. What cannot be undone needs a person's own yes, each time. */
export async function consent(
  context: CliContext,
  { what, diff = [], risk }: Plan,
  { yes, json, nonInteractive }: ConsentOptions,
): Promise<boolean> {
  if (yes && risk !== "destructive") return true;
  const { out } = context;
  if (json || nonInteractive || !out.isTerminal || context.stdin.isTTY !== true) return false;
  for (const line of diff) out.line(`  ${line}`);
  return await context.ask(`May I ${what}?`);
}

/** Why nobody could be asked, or said no; and what would allow it. */
export function declinedNote(risk: Plan["risk"]): string {
  return risk === "destructive"
    ? `${risk}: only done when you say yes at a terminal`
    : `${risk}: give --yes to allow it`;
}
