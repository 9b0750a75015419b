import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Methods } from "clawkit/module"; // types only: nothing has to be installed beside this file

const FILE = join(import.meta.dirname, "notes.jsonl");

interface Note {
  readonly at: string;
  readonly from: string;
  readonly text: string;
}

async function readNotes(): Promise<Note[]> {
  const text = await readFile(FILE, "utf8").catch(() => "");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Note);
}

export default {
  "notes.add": {
    scope: "operator.write",
    // it writes a file: if the gateway is killed meanwhile it must not be run again
    external: true,
    params: {
      type: "object",
      properties: { text: { type: "string", minLength: 1, maxLength: 1000 } },
      required: ["text"],
      additionalProperties: false,
    },
    timeoutMs: 5_000,
    run: async ({ text }: { text: string }, { caller }) => {
      const note: Note = { at: new Date().toISOString(), from: caller.client, text };
      await appendFile(FILE, `${JSON.stringify(note)}\n`);
      return note;
    },
  },

  "notes.get": {
    scope: "operator.read",
    // it only reads: a client whose gateway was killed gets the answer of the second run, and notices nothing
    external: false,
    params: {
      type: "object",
      properties: { n: { type: "integer", minimum: 1 } },
      required: ["n"],
      additionalProperties: false,
    },
    run: async ({ n }: { n: number }, { refuse }) => {
      const notes = await readNotes();
      const note = notes[n - 1];
      if (note === undefined) throw refuse(`there is no note ${n}: there are ${notes.length}`);
      return note;
    },
  },

  "notes.list": {
    scope: "operator.read",
    external: false,
    params: { type: "object", additionalProperties: false },
    run: async () => ({ notes: await readNotes() }),
  },
} satisfies Methods;
