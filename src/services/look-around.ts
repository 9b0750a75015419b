import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Place } from "./place.ts";

/** Files that Docker and Podman leave in their containers. */
const CONTAINER_MARKS = ["/.dockerenv", "/run/.containerenv"];

export interface Surroundings extends Pick<Place, "platform" | "uid" | "home" | "stateDir"> {
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Looks which service managers there can be. */
export async function lookAround({ env, ...known }: Surroundings): Promise<Place> {
  const { platform, home, uid } = known;
  const configHome = env.XDG_CONFIG_HOME || join(home, ".config");
  const nothing = { isSystemdBooted: false, isContainer: false, isWsl: false, runtimeDir: undefined };
  if (platform !== "linux") return { ...known, ...nothing, configHome };
  const runtimeDir = env.XDG_RUNTIME_DIR || `/run/user/${uid}`;
  const [isSystemdBooted, hasUserManager, version, ...marks] = await Promise.all([
    exists("/run/systemd/system"),
    exists(join(runtimeDir, "systemd")),
    readFile("/proc/version", "utf8").catch(() => ""),
    ...CONTAINER_MARKS.map(exists),
  ]);
  return {
    ...known,
    configHome,
    isSystemdBooted,
    isContainer: marks.includes(true) || Boolean(env.container) || Boolean(env.KUBERNETES_SERVICE_HOST),
    isWsl: /microsoft/i.test(version),
    runtimeDir: hasUserManager ? runtimeDir : undefined,
  };
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
