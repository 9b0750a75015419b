import { join } from "node:path";
import { launchd } from "./launchd.ts";
import { systemd } from "./systemd.ts";
import { taskScheduler } from "./task-scheduler.ts";
import type { ServiceManager } from "./types.ts";

/** What decides which service manager is here. */
export interface Place {
  readonly platform: NodeJS.Platform;
  /** Absent on Windows. */
  readonly uid: number | undefined;
  readonly home: string;
  readonly configHome: string;
  readonly stateDir: string;
  /** systemd is what booted this: `/run/systemd/system` is there, sd_booted(3). */
  readonly isSystemdBooted: boolean;
  readonly isContainer: boolean;
  readonly isWsl: boolean;
  /** `XDG_RUNTIME_DIR`, or the folder of this user that is where it should be. */
  readonly runtimeDir: string | undefined;
}

/** Every manager that may have a service of ours, the usual one first. */
export function managersOf(place: Place): readonly ServiceManager[] {
  const { platform, home, uid, stateDir } = place;
  if (platform === "win32") return [taskScheduler({ stateDir })];
  if (platform === "darwin") return [launchd({ home, uid: uid ?? 0, stateDir })];
  if (platform === "linux") return [systemdUser(place), systemdSystem(place)];
  return [];
}

/** The manager to install with, or why there is none and what to do instead. */
export function managerFor(place: Place, { system }: { readonly system: boolean }): ServiceManager | string {
  const { platform, uid, isSystemdBooted, isContainer, isWsl, runtimeDir } = place;
  if (system && platform !== "linux") return "--system is for systemd: leave it out here";
  if (platform === "linux") {
    if (!isSystemdBooted && isContainer) return IN_CONTAINER;
    if (!isSystemdBooted && isWsl) return IN_WSL;
    if (!isSystemdBooted) return NO_SYSTEMD;
    if (system) {
      return uid === 0
        ? systemdSystem(place)
        : "a system service needs root: sudo clawkit gateway install --system";
    }
    if (runtimeDir === undefined) return noUserManager(uid);
    return systemdUser(place);
  }
  return managersOf(place)[0] ?? `ClawKit knows no service manager of ${platform}: ${RUN_IT}`;
}

const RUN_IT = "have yours run: clawkit gateway run";

const NO_SYSTEMD = `systemd does not run here. With another service manager (OpenRC, runit, s6), ${RUN_IT}; exit code 78 means that it must not be restarted`;

const IN_CONTAINER =
  "this is a container, and no service manager runs in it. Make clawkit gateway run the container's command, and " +
  "have the engine bring it back: restart: unless-stopped in its compose file, or docker run --restart unless-stopped";

const IN_WSL =
  "this WSL distribution runs without systemd. Put [boot] systemd=true into /etc/wsl.conf and run wsl --shutdown in " +
  "Windows, then install again; or have a Windows scheduled task run: wsl.exe -e clawkit gateway run";

function noUserManager(uid: number | undefined): string {
  return uid === 0
    ? "root has no user services here: clawkit gateway install --system"
    : "this user's service manager does not run. Start it, now and at every boot, with: sudo loginctl enable-linger $USER";
}

function systemdUser({ configHome, runtimeDir }: Place): ServiceManager {
  const environment = runtimeDir === undefined ? {} : { XDG_RUNTIME_DIR: runtimeDir };
  return systemd({ scope: "user", configHome, environment });
}

function systemdSystem({ home }: Place): ServiceManager {
  return systemd({ scope: "system", configHome: join(home, ".config"), environment: {} });
}
