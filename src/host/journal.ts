import { runCommand } from "./command.ts";

/** Said, with exit code 0, to a user who may see less than there is, or where there is no journal (systemd 252). */
const NOT_ALL_SEEN =
  /^Hint: You are currently not seeing|^No journal files were (opened due to insufficient permissions|found)/m;

/** Lines of systemd's journal. Undefined if it is not there, or hides what was asked for from this user. */
export async function journal(args: readonly string[]): Promise<string[] | undefined> {
  const text = await runCommand("journalctl", [...args, "--no-pager"], { withErrors: true }).catch(
    () => undefined,
  );
  return text === undefined ? undefined : parseJournal(text);
}

/** What `journalctl` prints, on both of its outputs. */
export function parseJournal(text: string): string[] | undefined {
  const lines = text
    .split("\n")
    .filter((line) => line !== "" && !/^-- .* --$|^Hint: |^ {6}\S|^No journal files/.test(line));
  return lines.length === 0 && NOT_ALL_SEEN.test(text) ? undefined : lines;
}
