import { type FileHandle, open } from "node:fs/promises";
import type { LogsTailParams } from "../schemas.ts";
import { readLogsTailParams } from "../schemas.ts";
import { method } from "./index.ts";

const DEFAULT_LINES = 500;
const DEFAULT_BYTES = 250_000;

export const logsMethods = {
  "logs.tail": method({
    scope: "operator.read",
    runs: "apart",
    read: (params) => readLogsTailParams(params ?? {}),
    run: (params, _session, context) => tail(context.settings.logFile, params),
  }),
};

/** The lines after `cursor` (a byte offset), or the last ones. `reset` says that the file was rotated meanwhile. */
async function tail(path: string, params: LogsTailParams) {
  const limit = params.limit ?? DEFAULT_LINES;
  const maxBytes = params.maxBytes ?? DEFAULT_BYTES;
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return { file: path, cursor: 0, size: 0, lines: [] };
  try {
    const { size } = await file.stat();
    const isReset = params.cursor !== undefined && params.cursor > size;
    const wanted = params.cursor === undefined || isReset ? 0 : params.cursor;
    const start = Math.max(wanted, size - maxBytes);
    const bytes = Buffer.alloc(size - start);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
    // starting in the middle of a line, unless the byte before is a line end
    const startsInside = start > wanted && !(await endsLine(file, start - 1));
    const lines = bytes
      .subarray(0, bytesRead)
      .toString()
      .split("\n")
      .filter((line) => line !== "");
    if (startsInside && lines.length > 1) lines.shift();
    return {
      file: path,
      cursor: size,
      size,
      lines: lines.slice(-limit),
      truncated: start > wanted || lines.length > limit,
      reset: isReset,
    };
  } finally {
    await file.close();
  }
}

async function endsLine(file: FileHandle, at: number): Promise<boolean> {
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, at);
  return byte.toString() === "\n";
}
