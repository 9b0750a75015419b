import type { Plan } from "../diagnosis/remedies/types.ts";
import type { CliContext } from "./context.ts";

export interface ConsentOptions {
  /** Said beforehand. */
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly nonInteractive?: boolean;
}

/** Whether a person allows it: said beforehand with --yes, or at the terminal. Who cannot be asked has not allowed it. */
export async function isAllowed(
  context: CliContext,
  options: ConsentOptions,
  question: string,
): Promise<boolean> {
  if (options.yes) return true;
  return canAsk(context, options) && (await context.ask(question));
}

/** Whether a plan that is not safe may be carried out. What cannot be undone needs a person's own yes, each time. */
export async function consent(
  context: CliContext,
  { what, diff = [], risk }: Plan,
  options: ConsentOptions,
): Promise<boolean> {
  if (options.yes && risk !== "destructive") return true;
  if (!canAsk(context, options)) return false;
  for (const line of diff) context.out.line(`  ${line}`);
  return await context.ask(`May I ${what}?`);
}

/** Why nobody could be asked, or said no; and what would allow it. */
export function declinedNote(risk: Plan["risk"]): string {
  return risk === "destructive"
    ? `${risk}: only done when you say yes at a terminal`
    : `${risk}: give --yes to allow it`;
}

function canAsk({ out, stdin }: CliContext, { json, nonInteractive }: ConsentOptions): boolean {
  return !json && !nonInteractive && out.isTerminal && stdin.isTTY === true;
}
