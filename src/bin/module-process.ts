import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex, Readable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { messageOf } from "../core/errors.ts";
import type { ProcessEnd } from "../core/process-end.ts";
import { VERSION } from "../core/version.ts";
import { MessageLines } from "../gateway/modules/message-lines.ts";
import { MAX_RESULT, MAX_TEXT } from "../gateway/modules/messages.ts";
import {
  MODULE_HEAP_MB,
  MODULE_PIPE,
  type ModuleProcess,
  type ModuleProcessEvents,
} from "../gateway/modules/module-process.ts";
import { LineSplitter } from "../supervisor/lines.ts";
import { entryPath } from "./entries.ts";

/** A character has up to three bytes (UTF-16 to UTF-8); and what stands before an answer. */
const MAX_LINE_BYTES = 3 * MAX_RESULT + MAX_TEXT;

/** What is read of a module's output in a second. A pipe that is not read blocks who writes: a flood slows down its source. */
const MAX_OUTPUT_BYTES = 256 * 1024;
const OUTPUT_MS = 1_000;

/** Starts the process of a module. It is in the group of the gateway, and ends with it. */
export function startModule(path: string, events: ModuleProcessEvents): ModuleProcess {
  let child: ChildProcess;
  try {
    child = spawn(process.execPath, [...FLAGS, entryPath("gateway-module"), path, VERSION], {
      argv0: "clawkit gateway-module",
      // our own diagnostic reports and heap limit are the gateway's
      env: { ...process.env, NODE_OPTIONS: undefined },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      windowsHide: true,
    });
  } catch (error) {
    // some failures (no memory) are thrown, others an 'error' event
    const end: ProcessEnd = { code: null, signal: null, by: "itself", startError: messageOf(error) };
    setImmediate(() => events.onEnded(end));
    return { send: () => undefined, kill: () => undefined };
  }
  const pipe = child.stdio[MODULE_PIPE] as Duplex;
  const kill = () => void child.kill("SIGKILL");
  const lines = new MessageLines(MAX_LINE_BYTES, events.onLine);
  pipe.on("data", (chunk: Buffer) => {
    try {
      lines.push(chunk);
    } catch (error) {
      pipe.destroy();
      kill();
      events.onNonsense(messageOf(error));
    }
  });
  pipe.on("error", () => undefined); // its end is told by the process
  for (const output of [child.stdout!, child.stderr!]) readOutput(output, events.onOutput);
  onceEnded(child, events.onEnded);
  return { send: (line) => void pipe.write(line), kill };
}

/** The module's file may stand in a folder without a package.json: Node would say so at each start. */
const FLAGS = [
  `--max-old-space-size=${MODULE_HEAP_MB}`,
  "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON",
  "--disable-warning=ExperimentalWarning",
];

function readOutput(output: Readable, onOutput: (line: string) => void): void {
  const splitter = new LineSplitter((line) => onOutput(stripVTControlCharacters(line)));
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  output.on("data", (chunk: Buffer) => {
    splitter.push(chunk);
    bytes += chunk.length;
    timer ??= setTimeout(() => {
      timer = undefined;
      bytes = 0;
      output.resume();
    }, OUTPUT_MS);
    if (bytes > MAX_OUTPUT_BYTES) output.pause();
  });
  output.on("error", () => undefined);
  output.on("close", () => {
    clearTimeout(timer);
    splitter.end();
  });
}

function onceEnded(child: ChildProcess, onEnded: (end: ProcessEnd) => void): void {
  let isOver = false;
  const over = (end: Omit<ProcessEnd, "by">) => {
    if (isOver) return;
    isOver = true;
    onEnded({ ...end, by: "itself" });
  };
  child.on("error", (error) => {
    if (child.pid === undefined) over({ code: null, signal: null, startError: messageOf(error) });
  });
  // its last output comes before 'close'; something it started may keep the pipes open
  child.on("close", (code, signal) => over({ code, signal }));
  child.on("exit", (code, signal) => setTimeout(() => over({ code, signal }), OUTPUT_LAG_MS));
}

const OUTPUT_LAG_MS = 500;
