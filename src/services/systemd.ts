import { join } from "node:path";
import { type SystemdScope, systemdUnit } from "./systemd-unit.ts";
import type { ServiceCommand, ServiceManager, ServiceVerb } from "./types.ts";

const UNIT = "clawkit.service";

/** `systemctl start` and `stop` return when it is done: the unit's own limits end them. */
const LONGEST_JOB_MS = 3_700_000;

const COMMAND_MS = 30_000;

/** Others read units: there is nothing secret in one. */
const PUBLIC_FILE = 0o644;

export interface SystemdPlace {
  readonly scope: SystemdScope;
  /** Where units of this user are: `$XDG_CONFIG_HOME`, else `.config` in the home directory. */
  readonly configHome: string;
  /** How its user manager is reached: a shell of `su` or `ssh` may not know. */
  readonly environment: Readonly<Record<string, string>>;
}

export function systemd({ scope, configHome, environment }: SystemdPlace): ServiceManager {
  const isUser = scope === "user";
  const definitionPath = isUser ? join(configHome, "systemd/user", UNIT) : join("/etc/systemd/system", UNIT);
  const run = (args: string, timeLimitMs = COMMAND_MS): ServiceCommand => ({
    file: "systemctl",
    args: [...(isUser ? ["--user"] : []), ...args.split(" ")],
    timeLimitMs,
    ...(isUser ? { environment } : {}),
  });
  const commands: Readonly<Record<ServiceVerb, readonly ServiceCommand[]>> = {
    load: [run("daemon-reload"), run(`enable ${UNIT}`)],
    unload: [{ ...run(`disable ${UNIT}`), mayFail: true }],
    forget: [run("daemon-reload"), { ...run(`reset-failed ${UNIT}`), mayFail: true }],
    start: [run(`start ${UNIT}`, LONGEST_JOB_MS)],
    stop: [run(`stop ${UNIT}`, LONGEST_JOB_MS)],
    restart: [run(`restart ${UNIT}`, LONGEST_JOB_MS)],
  };
  return {
    name: isUser ? "systemd (user)" : "systemd",
    service: UNIT,
    definitionPath,
    files: (settings) => [
      { path: definitionPath, text: systemdUnit(scope, settings), mode: PUBLIC_FILE, encoding: "utf8" },
    ],
    commands: (verb) => commands[verb],
    logCommand: `journalctl ${isUser ? "--user " : ""}-u clawkit -n 50`,
  };
}
