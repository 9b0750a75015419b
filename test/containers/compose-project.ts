import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommandResult, collect } from "../helpers/clawkit.ts";

/** Debian 12 has Compose 1.29 as `docker-compose`, and the page says `docker compose` (issue 5): a plugin of that name. */
const PLUGIN = `#!/bin/sh
if [ "$1" = docker-cli-plugin-metadata ]; then
  echo '{ "SchemaVersion": "0.1.0", "Vendor": "test", "Version": "1.29" }'
else
  shift
  exec docker-compose "$@"
fi
`;

/** A folder with a compose file, and a shell there in which `docker compose` is Debian's. */
export class ComposeProject implements AsyncDisposable {
  readonly #folder: string;
  readonly #dockerConfig: string;

  private constructor(folder: string, dockerConfig: string) {
    this.#folder = folder;
    this.#dockerConfig = dockerConfig;
  }

  static async open(folder: string): Promise<ComposeProject> {
    const dockerConfig = await mkdtemp(join(tmpdir(), "clawkit-docker-config-"));
    const plugin = join(dockerConfig, "cli-plugins/docker-compose");
    await mkdir(join(plugin, ".."));
    await writeFile(plugin, PLUGIN);
    await chmod(plugin, 0o755);
    return new ComposeProject(folder, dockerConfig);
  }

  /** What a person who pastes this sees. */
  async paste(script: string): Promise<CommandResult> {
    const env = {
      ...process.env,
      DOCKER_CONFIG: this.#dockerConfig,
      COMPOSE_PROJECT_NAME: `clawkit-test-${process.pid}`,
    };
    return await collect(
      spawn("bash", ["-c", script], { cwd: this.#folder, env, stdio: ["ignore", "pipe", "pipe"] }),
    );
  }

  /** Runs one line that has to succeed; resolves with what it printed. */
  async run(line: string): Promise<string> {
    const { code, stdout, stderr } = await this.paste(line);
    if (code !== 0) throw new Error(`${line} ended with ${code}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  /** Removes its containers, networks and volumes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.run("docker compose down --volumes --timeout 5");
    await rm(this.#dockerConfig, { recursive: true, force: true });
  }
}
