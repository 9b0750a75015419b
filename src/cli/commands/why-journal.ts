import { plainAddress } from "../../core/address-ranges.ts";
import { ClawkitError, messageOf } from "../../core/errors.ts";
import { decode } from "../../diagnosis/facts/plain.ts";
import { shown } from "../../probe/shown.ts";
import { NEAR_MS } from "../../recorder/both-sides.ts";
import {
  type ClientEnd,
  endsIn,
  type JournalEntry,
  lineUp,
  readJournal,
  tellEnd,
} from "../../recorder/client-journal.ts";
import type { CliContext } from "../context.ts";
import { bytesOf } from "../input.ts";
import { printTold, withRecords, words } from "../recorded.ts";

/** 64 states with reasons of 123 bytes are some 30 KB. */
const MAX_BYTES = 1024 * 1024;

/** Connections of a client that are looked through. */
const MAX_CONNECTIONS = 1_000;

/** Clocks that differ less are not worth a word. */
const SAME_CLOCK_MS = 1_000;

/** `clawkit why --client-journal <file>`: each end that a `clawkit/client` saw beside what our side saw of it. */
export async function whyJournal(
  context: CliContext,
  file: string,
  { from, json }: { readonly from: string; readonly json?: boolean },
): Promise<number> {
  const journal = await journalIn(context, file);
  const client = plainAddress(from);
  const ends = endsIn(journal);
  const last = ends.at(-1);
  const now = context.clock.wall();
  const rows =
    last === undefined
      ? []
      : await withRecords(context, (store) =>
          store.connections({ client, openedUntil: last.at + NEAR_MS }, MAX_CONNECTIONS),
        );
  if (last !== undefined && rows.length === 0)
    throw new ClawkitError(
      "NOTHING_RECORDED",
      `Cannot say what our side saw of ${from} as no connection from there is recorded: it never got here, or a proxy gave it another address (clawkit connections)`,
    );
  const { aheadMs, rows: found } = lineUp(ends, rows);
  const sides = ends.map((end, i) => ({
    saw: end,
    ...tellEnd(end, found[i], words, now),
    connection: found[i] ?? null,
  }));
  if (json) {
    context.out.json({
      from: client,
      aheadMs,
      ends: sides.map(({ saw, ours, meaning, connection }) => ({ saw, ours, meaning, connection })),
    });
    return 0;
  }
  printTold({ headline: headlineOf(journal, { ends, found, aheadMs }), parts: [] }, context);
  for (const told of sides) printTold(told, context);
  const incidents = new Set(found.flatMap((row) => row?.incident ?? []));
  for (const id of incidents) context.out.line(`Explain the outage with: clawkit why ${id}`);
  return 0;
}

async function journalIn(context: CliContext, file: string): Promise<JournalEntry[]> {
  const name = file === "-" ? "standard input" : file;
  const bytes = await bytesOf(context, file, MAX_BYTES);
  if (bytes.length > MAX_BYTES) throw unreadable(name, `it is longer than ${MAX_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(decode(bytes));
  } catch (error) {
    throw unreadable(name, `it is no JSON: ${shown(messageOf(error), [])}`);
  }
  const journal = readJournal(value);
  if ("problem" in journal) throw unreadable(name, journal.problem);
  return shown(journal, []);
}

function unreadable(name: string, why: string): ClawkitError {
  return new ClawkitError(
    "USAGE",
    `Cannot read a client's journal in ${name}: ${why}. Save what JSON.stringify(socket.journal) says in the application that has the ClientSocket`,
  );
}

function headlineOf(
  journal: readonly JournalEntry[],
  { ends, found, aheadMs }: { ends: readonly ClientEnd[]; found: readonly unknown[]; aheadMs: number },
): string {
  const last = journal.at(-1);
  const until = last === undefined ? "it is empty" : `it is ${last.name} since ${words.time(last.at)}`;
  if (ends.length === 0) return `No connection ended in this journal: ${until}`;
  const seen = found.filter((row) => row !== undefined).length;
  const clock =
    Math.abs(aheadMs) < SAME_CLOCK_MS
      ? ""
      : `; its clock is ${words.duration(Math.abs(aheadMs))} ${aheadMs > 0 ? "ahead of" : "behind"} ours`;
  return `The client saw ${ends.length} ends, ${seen} of them are recorded here, and ${until}${clock}`;
}
