import { createReadStream } from "node:fs";
import { ClawkitError, messageOf } from "../core/errors.ts";
import type { CliContext } from "./context.ts";

/** What is in a file, or, for `-`, comes from standard input: at most `maxBytes`, and one more if there are more. */
export async function bytesOf(context: CliContext, file: string, maxBytes: number): Promise<Buffer> {
  const stream = file === "-" ? context.stdin : createReadStream(file, { end: maxBytes });
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes > maxBytes) break;
    }
  } catch (cause) {
    throw new ClawkitError("USAGE", `Cannot read ${file}: ${messageOf(cause)}`, { cause });
  }
  return Buffer.concat(chunks).subarray(0, maxBytes + 1);
}
