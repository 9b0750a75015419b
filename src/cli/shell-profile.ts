import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { ClawkitError } from "../core/errors.ts";
import { replaceFile } from "../host/files.ts";
import type { CliContext } from "./context.ts";

/** What else we added: an end for the line before ours, or the whole file. Removing takes that back too. */
const WITH_LINE_END = ", with the line end before";
const WITH_FILE = ", with this file";

/** A line of ours in the file that the user's shell reads, found again by its mark. */
export class ShellProfile {
  readonly path: string;
  readonly #mark: string;

  private constructor(path: string, addedBy: string) {
    this.path = path;
    this.#mark = `# added by ${addedBy}`;
  }

  /** Undefined where editing one would not help (Windows, unknown shells). */
  static of(
    { env, home, platform }: Pick<CliContext, "env" | "home" | "platform">,
    addedBy: string,
  ): ShellProfile | undefined {
    const name = profileName(platform, env.SHELL ?? "");
    return name === undefined ? undefined : new ShellProfile(join(home, name), addedBy);
  }

  async hasLine(): Promise<boolean> {
    return (await this.#read())?.includes(this.#mark) ?? false;
  }

  async add(line: string): Promise<void> {
    const text = await this.#read();
    if (text?.includes(this.#mark)) return;
    if (text === undefined) await this.#replace(`${line} ${this.#mark}${WITH_FILE}\n`);
    else if (text === "" || text.endsWith("\n")) await this.#replace(`${text}${line} ${this.#mark}\n`);
    else await this.#replace(`${text}\n${line} ${this.#mark}${WITH_LINE_END}\n`);
  }

  /** Leaves the profile as it was before, byte for byte, unless others have written to it since. */
  async remove(): Promise<boolean> {
    const text = (await this.#read()) ?? "";
    const ourLine = new RegExp(`(^|\\n)[^\\n]*${this.#mark}(${WITH_LINE_END}|${WITH_FILE})?\\n`);
    const ours = text.match(ourLine);
    if (ours === null) return false;
    const [, before = "", how] = ours;
    const kept = text.replace(ourLine, how === WITH_LINE_END ? "" : before);
    if (kept === "" && how === WITH_FILE) await rm(this.path, { force: true });
    else await this.#replace(kept);
    return true;
  }

  async #read(): Promise<string | undefined> {
    return await readFile(this.path, "utf8").catch(() => undefined);
  }

  async #replace(text: string): Promise<void> {
    try {
      await replaceFile(this.path, text);
    } catch (cause) {
      throw new ClawkitError("CONFIG_UNWRITABLE", `Cannot edit ${this.path}`, { cause });
    }
  }
}

function profileName(platform: NodeJS.Platform, shell: string): string | undefined {
  if (platform === "win32") return undefined;
  if (shell.endsWith("/zsh")) return ".zshrc";
  if (shell.endsWith("/bash")) return ".bashrc";
  return shell.endsWith("/sh") || shell.endsWith("/dash") ? ".profile" : undefined;
}
