import { stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";

/**
 * Files of this name in the folders of a PATH, in its order. Empty and relative folders mean wherever somebody
 * happens to stand: nothing of there is taken.
 */
export async function findOnPath(name: string, path: string | undefined): Promise<string[]> {
  const folders = new Set((path ?? "").split(delimiter).filter(isAbsolute));
  const found: string[] = [];
  for (const folder of folders) {
    const file = join(folder, name);
    const facts = await stat(file).catch(() => undefined);
    if (facts?.isFile()) found.push(file);
  }
  return found;
}
