import { spawn } from "node:child_process";
import { collect, ROOT } from "../helpers/clawkit.ts";

/** Runs a command to its end in the checkout; resolves with what it printed, throws what it wrote when it fails. */
export async function run(command: string, ...args: string[]): Promise<string> {
  // the builder inside the engine: BuildKit is a plugin that Debian 12 does not package
  const env = { ...process.env, DOCKER_BUILDKIT: "0" };
  const child = spawn(command, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
  const { code, stdout, stderr } = await collect(child);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}: ${stderr}${stdout}`);
  return stdout.trim();
}

export function docker(...args: string[]): Promise<string> {
  return run("docker", ...args);
}

/** Everything a container wrote, on both its outputs. */
export async function logsOf(container: string): Promise<string> {
  return await run("sh", "-c", `docker logs "$1" 2>&1`, "sh", container);
}

/** Why container tests cannot run here; undefined if they can. `.ci/run` installs and starts what they need. */
export async function whyNoEngine(): Promise<string | undefined> {
  if (process.platform !== "linux") return "containers are tried on Linux only";
  for (const line of ["docker version", "docker-compose version", "debootstrap --version"]) {
    const [command, ...args] = line.split(" ") as [string, ...string[]];
    const problem = await run(command, ...args).then(
      () => undefined,
      (error: Error) => error.message,
    );
    if (problem !== undefined) return `${line}: ${problem.slice(0, 300)}`;
  }
  return undefined;
}
