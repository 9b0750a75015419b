import { createHash } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parseDocument } from "yaml";
import { program } from "./clawkit.ts";

interface Call {
  /** `up -d --no-deps gateway`: without the files before it. */
  readonly call: string;
  readonly DOCKER_HOST: string;
  readonly DOCKER_CONTEXT: string;
}

/** A `docker compose` that makes nothing, and remembers what it was asked for. */
export class FakeCompose implements AsyncDisposable {
  /** With it the fake is found first. */
  readonly env: Readonly<Record<string, string>>;
  readonly #folder: string;

  private constructor(folder: string, forbids: string) {
    this.#folder = folder;
    this.env = {
      PATH: `${folder}${delimiter}${process.env.PATH}`,
      COMPOSE_CALLS: join(folder, "calls.jsonl"),
      COMPOSE_FORBIDS: forbids,
    };
  }

  /** `up` fails where the compose file has `forbids` in it. */
  static async create({ forbids = "\u0001" } = {}): Promise<FakeCompose> {
    const folder = await mkdtemp(join(tmpdir(), "clawkit-compose-"));
    const command = program("compose").map((part) => `'${part}'`);
    const path = join(folder, "docker");
    await writeFile(path, `#!/bin/sh\nshift\nexec ${command.join(" ")} "$@"\n`);
    await chmod(path, 0o755);
    await writeFile(join(folder, "calls.jsonl"), "");
    return new FakeCompose(folder, forbids);
  }

  /** What the label of a service's container says if it was made from this file. */
  static hashOf(text: string, service: string): string {
    const { services } = parseDocument(text, { merge: true }).toJS() as { services: Record<string, object> };
    return createHash("sha256").update(JSON.stringify(services[service])).digest("hex");
  }

  /** The calls that change something, and all that were made. */
  async calls(): Promise<{ ups: string[]; all: Call[] }> {
    const text = await readFile(this.env.COMPOSE_CALLS!, "utf8");
    const all = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Call);
    return { ups: all.map(({ call }) => call).filter((call) => call.startsWith("up")), all };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
