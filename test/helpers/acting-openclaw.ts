import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program } from "./clawkit.ts";

/** The folder of a stand-in for OpenClaw (test/fixtures/programs/acts-as-openclaw.ts), and what it did. */
export class ActingOpenclaw implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** `files` change how it acts: name and content. */
  static async create(files: Readonly<Record<string, string>> = {}): Promise<ActingOpenclaw> {
    const acting = new ActingOpenclaw(await mkdtemp(join(tmpdir(), "clawkit-test-")));
    for (const [name, text] of Object.entries(files)) await acting.write(name, text);
    return acting;
  }

  get command(): string[] {
    return program("acts-as-openclaw", this.folder);
  }

  /** As `gateway.upstream`. */
  upstream(more: object = {}): object {
    return { type: "openclaw", command: this.command, ...more };
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.folder, name), text);
  }

  has(name: string): boolean {
    return existsSync(join(this.folder, name));
  }

  async pidOf(name: "pid" | "doctor-pid"): Promise<number> {
    return Number(await readFile(join(this.folder, name), "utf8"));
  }

  /** What was run so far, without its options. */
  async calls(): Promise<string[]> {
    return (await readFile(join(this.folder, "calls"), "utf8")).trim().split("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
