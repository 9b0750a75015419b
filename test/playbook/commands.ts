import type { Command } from "commander";
import type { CliContext } from "../../src/cli/context.ts";
import { createProgram } from "../../src/cli/program.ts";

const context = { name: "clawkit" } as CliContext; // handlers are not run

/** What is wrong with a command line of ours, if anything: `clawkit logs --follow`. */
export function problemOf(commandLine: string): string | undefined {
  const [, ...parts] = wordsOf(commandLine);
  let command: Command = createProgram(context, () => undefined);
  for (;;) {
    const next = command.commands.find((one) => one.name() === parts[0]);
    if (next === undefined) break;
    command = next;
    parts.shift();
  }
  const values: string[] = [];
  while (parts.length > 0) {
    const part = parts.shift()!;
    if (!part.startsWith("-")) {
      values.push(part);
      continue;
    }
    const option = command.options.find(({ long, short }) => long === part || short === part);
    if (option === undefined) return `${command.name()} has no option ${part}`;
    if (option.required && parts.shift() === undefined) return `${part} needs a value`;
  }
  const wanted = command.registeredArguments;
  if (command.commands.length > 0 && wanted.length === 0 && !isRunnable(command)) {
    return `${command.name()} has no command ${values[0] ?? "named"}`;
  }
  const least = wanted.filter(({ required }) => required).length;
  if (values.length < least) return `${command.name()} needs ${least} values`;
  return values.length > wanted.length
    ? `${command.name()} takes no value ${values[wanted.length]}`
    : undefined;
}

/** `doctor` is run by itself and has commands; `gateway` only has commands. */
function isRunnable(command: Command): boolean {
  return "_actionHandler" in command && command._actionHandler !== null;
}

/** As a shell takes them apart: what stands in quotes is one word. */
function wordsOf(commandLine: string): string[] {
  return [...commandLine.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
}
