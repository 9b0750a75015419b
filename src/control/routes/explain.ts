import { decode } from "../../diagnosis/facts/plain.ts";
import type { Diagnosis } from "../../diagnosis/types.ts";
import { ApiError } from "../api-error.ts";
import { readBody } from "../body.ts";
import type { Explained } from "../contract.ts";
import type { Call, Route } from "../route.ts";

const MAX_BYTES = 10 * 1024 * 1024;

/** A line that decided is shown with its beginning. */
const MAX_LINE = 500;

export const explainRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/explain",
    what: "what a pasted error or log (the body, text of up to 10 MB) says about the cause, and the lines that decided",
    handle: explain,
  },
];

async function explain({ jobs, request }: Call): Promise<Explained> {
  let body: Buffer = Buffer.alloc(0);
  const input = async () => {
    body = await readBody(request, MAX_BYTES);
    if (body.length > 0) return body;
    throw new ApiError(
      "BAD_REQUEST",
      "Cannot explain an empty text: paste the error and what stands around it",
    );
  };
  const { verdict, causes } = (await jobs.json(["explain", "-", "--json"], { input })) as Diagnosis;
  jobs.lastExplained = causes;
  return { apiVersion: 1, verdict, causes, lines: linesOf(decode(body), causes) };
}

/** The lines that evidence names, quoted as they were pasted. */
function linesOf(text: string, causes: Diagnosis["causes"]): Explained["lines"] {
  const named = new Map<number, Set<string>>();
  for (const { id, evidence } of causes) {
    for (const { source } of evidence) {
      const number = Number(/^line (\d+)$/.exec(source)?.[1] ?? 0);
      if (number > 0) named.set(number, (named.get(number) ?? new Set()).add(id));
    }
  }
  const lines = text.split("\n");
  return [...named]
    .sort(([a], [b]) => a - b)
    .map(([number, ids]) => ({
      number,
      text: (lines[number - 1] ?? "").trimEnd().slice(0, MAX_LINE),
      causes: [...ids],
    }));
}
