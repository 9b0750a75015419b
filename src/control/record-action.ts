import { messageOf } from "../core/errors.ts";
import type { Note } from "../core/records.ts";
import { withoutSecrets } from "../core/secrets.ts";
import type { ControlDeps } from "./deps.ts";
import type { Session } from "./session.ts";

/** Writes down what somebody did in the console, and who. Never throws: what was done is done. */
export async function recordAction(
  { clock, askEdge, records, log }: Pick<ControlDeps, "clock" | "askEdge" | "records" | "log">,
  session: Session | undefined,
  what: string,
): Promise<void> {
  const who =
    session === undefined
      ? "nobody was signed in"
      : `console session ${session.id}, signed in with a ${session.how}, from ${session.peer}`;
  const text = withoutSecrets(`${what} (${who})`);
  const note: Note = { at: clock.wall(), kind: "console-action", text };
  log(text);
  try {
    await askEdge({ kind: "note", note });
  } catch {
    // without an edge nobody else writes
    await records((store) => store.addNote(note)).catch((error) =>
      log(`cannot record what was done: ${messageOf(error)}`),
    );
  }
}
