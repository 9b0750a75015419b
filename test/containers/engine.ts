import { execFileSync } from "node:child_process";

/** Runs a docker command to its end; throws what it wrote when it fails. */
export function docker(...args: string[]): string {
  // the builder inside the engine: BuildKit's is a plugin that Debian 12 does not package
  const env = { ...process.env, DOCKER_BUILDKIT: "0" };
  return execFileSync("docker", args, {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 1e8,
  });
}

/** Why container tests cannot run here; undefined if they can. */
export function whyNoEngine(): string | undefined {
  if (process.platform !== "linux") return "containers are tried on Linux only";
  for (const [command, ...args] of [
    ["docker", "version"],
    ["debootstrap", "--version"],
    ["docker-compose", "version"],
  ] as const) {
    try {
      execFileSync(command, args, { stdio: "ignore", timeout: 20_000 });
    } catch {
      return `${command} ${args.join(" ")} fails: .ci/run installs and starts what is needed`;
    }
  }
  return undefined;
}

export function hasImage(tag: string): boolean {
  return docker("images", "--quiet", tag).trim() !== "";
}
