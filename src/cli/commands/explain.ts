import { ClawkitError } from "../../core/errors.ts";
import { explainText } from "../../diagnosis/explain.ts";
import { decode } from "../../diagnosis/facts/plain.ts";
import { seenHere } from "../../diagnosis/feedback.ts";
import { headlineOf, linesOf, toJson } from "../../diagnosis/report.ts";
import type { CliContext } from "../context.ts";
import { bytesOf } from "../input.ts";

/** What is read of a text; a log of gigabytes is no paste. */
const MAX_BYTES = 16 * 1024 * 1024;

/** `clawkit explain [file|-]`: what a pasted error or log says about why a gateway is broken. */
export async function explain(
  context: CliContext,
  file: string | undefined,
  options: { json?: boolean },
): Promise<number> {
  const text = await textOf(context, file);
  if (text.trim() === "") {
    throw new ClawkitError(
      "USAGE",
      "Cannot explain an empty text: paste the error and what stands around it",
    );
  }
  const diagnosis = explainText(text, await seenHere(context.paths.feedback));
  const { out } = context;
  if (options.json) {
    out.json(toJson(diagnosis));
    return 0;
  }
  const [verdict, meaning] = headlineOf(diagnosis, "the text");
  out.line(out.style("bold", verdict));
  out.line(meaning);
  for (const { heading, text: line } of linesOf(diagnosis)) {
    out.line(`  ${out.style("dim", heading.padEnd(13))}${line}`);
  }
  return 0;
}

async function textOf(context: CliContext, file = "-"): Promise<string> {
  if (file === "-" && context.stdin.isTTY === true) {
    context.out.progress("Paste the error and what stands around it, then press Ctrl-D");
  }
  return decode((await bytesOf(context, file, MAX_BYTES)).subarray(0, MAX_BYTES));
}
