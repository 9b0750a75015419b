import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type StatePaths, statePaths } from "../../src/config/paths.ts";
import { type CommandResult, collect, freePort, ROOT } from "./clawkit.ts";
import { NO_ENGINE } from "./machine.ts";

/** The command line's entry points, as arguments of Node. */
export const CLAWKIT = join(ROOT, "src/bin/clawkit.ts");
export const OPENCLAW = join(ROOT, "src/bin/openclaw.ts");

/** A home and a state directory for commands that start nothing: there is nothing to stop in the end. */
export class CommandLine implements AsyncDisposable {
  readonly home: string;
  readonly paths: StatePaths;
  /** A port on which nobody listens: another test may have the default one. */
  readonly port: number;

  private constructor(home: string, port: number) {
    this.home = home;
    this.port = port;
    this.paths = statePaths(join(home, "state"));
  }

  static async create(config?: string): Promise<CommandLine> {
    const home = await mkdtemp(join(tmpdir(), "clawkit-cli-"));
    const line = new CommandLine(home, await freePort());
    if (config !== undefined) await line.writeConfig(config);
    return line;
  }

  get env(): NodeJS.ProcessEnv {
    const { OPENCLAW_GATEWAY_TOKEN: _a, CLAWKIT_GATEWAY_TOKEN: _b, ...env } = process.env;
    const { stateDir } = this.paths;
    const own = { HOME: this.home, SHELL: "/bin/bash", NO_COLOR: "1" };
    return {
      ...env,
      ...own,
      DOCKER_HOST: NO_ENGINE,
      CLAWKIT_STATE_DIR: stateDir,
      CLAWKIT_GATEWAY_PORT: String(this.port),
    };
  }

  clawkit(...args: string[]): Promise<CommandResult> {
    return this.run(process.execPath, [CLAWKIT, ...args]);
  }

  openclaw(...args: string[]): Promise<CommandResult> {
    return this.run(process.execPath, [OPENCLAW, ...args]);
  }

  /** Runs a program to its end, in this home. */
  run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
    const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
    return collect(spawn(command, args, { env: { ...this.env, ...env }, stdio }));
  }

  readConfig(): Promise<string> {
    return readFile(this.paths.config, "utf8");
  }

  async writeConfig(text: string): Promise<void> {
    await mkdir(this.paths.stateDir, { recursive: true, mode: 0o700 });
    await writeFile(this.paths.config, text, { mode: 0o600 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.home, { recursive: true, force: true });
  }
}
