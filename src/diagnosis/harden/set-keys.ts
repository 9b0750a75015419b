import { readFile } from "node:fs/promises";
import { setInText } from "../../config/edit.ts";
import { PRIVATE_FILE, replaceFile } from "../../host/files.ts";
import { changedKeys } from "../remedies/shared.ts";
import type { SetKeys } from "./types.ts";

/** Sets keys in the config at `path`, of which this is the text. `check` throws for a text that would not do. */
export function settingKeys(path: string, text: string, check: (text: string) => void): SetKeys {
  return (values, { risk = "safe", secret = [] } = {}) => {
    const keys = Object.keys(values);
    const shown = keys.filter((key) => !secret.includes(key));
    const edit = (before: string) =>
      Object.entries(values).reduce(
        (rest, [key, literal]) => setInText(rest, key.split("."), literal),
        before,
      );
    const named = keys.map((key) => `${key} to ${shown.includes(key) ? values[key] : "a new random one"}`);
    return {
      what: `set ${named.join(" and ")} in ${path}`,
      risk,
      files: [path],
      diff: changedKeys(text, edit(text), shown),
      apply: async () => {
        // read again: another piece of advice may have changed it since
        const mended = edit(await readFile(path, "utf8").catch(() => ""));
        check(mended);
        await replaceFile(path, mended, secret.length === 0 ? undefined : PRIVATE_FILE);
      },
    };
  };
}
