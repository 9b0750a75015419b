import { join } from "node:path";

/** A program of this folder, with arguments of Node in front of it. */
export function faulty(
  name: string,
  args: readonly string[] = [],
  nodeArgs: readonly string[] = [],
): string[] {
  return [process.execPath, ...nodeArgs, join(import.meta.dirname, `${name}.ts`), ...args];
}
