import { join } from "node:path";
import { shellWord } from "../core/shell-word.ts";
import { LAUNCHD_LABEL, launchdPlist, SERVICE_LOG } from "./launchd-plist.ts";
import type { ServiceCommand, ServiceManager, ServiceVerb } from "./types.ts";

const COMMAND_MS = 30_000;

/** launchd refuses a definition that others may write to. */
const PUBLIC_FILE = 0o644;

/** After a bootout the label is still known for a moment, and bootstrap fails with errno 5 until it is gone. */
const BOOTSTRAP_TRIES = 5;

export interface LaunchdPlace {
  readonly home: string;
  readonly uid: number;
  readonly stateDir: string;
}

export function launchd({ home, uid, stateDir }: LaunchdPlace): ServiceManager {
  const definitionPath = join(home, "Library/LaunchAgents", `${LAUNCHD_LABEL}.plist`);
  const target = `gui/${uid}/${LAUNCHD_LABEL}`;
  const run = (...args: string[]): ServiceCommand => ({
    file: "/bin/launchctl",
    args,
    timeLimitMs: COMMAND_MS,
  });
  const isKnown = { mayFail: true };
  const commands: Readonly<Record<ServiceVerb, readonly ServiceCommand[]>> = {
    // a service that was disabled once stays so, whatever its definition says
    load: [run("enable", target)],
    unload: [{ ...run("bootout", target), ...isKnown }],
    forget: [],
    // bootstrap starts it (RunAtLoad), and fails if it is known; kickstart then starts it, if it does not run
    start: [
      { ...run("bootstrap", `gui/${uid}`, definitionPath), ...isKnown, tries: BOOTSTRAP_TRIES },
      run("kickstart", target),
    ],
    // a mere SIGTERM would have it started again at once (KeepAlive)
    stop: [run("bootout", target)],
    // kickstart -k does not say how it ends a process, and keeps the definition that launchd has
    restart: [],
  };
  return {
    name: "launchd",
    service: LAUNCHD_LABEL,
    definitionPath,
    files: (settings) => [
      { path: definitionPath, text: launchdPlist(settings), mode: PUBLIC_FILE, encoding: "utf8" },
    ],
    commands: (verb) => commands[verb],
    logCommand: `tail -n 50 ${shellWord(join(stateDir, "logs", SERVICE_LOG))}`,
  };
}
