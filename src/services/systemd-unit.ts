import { MARK, type ServiceSettings, stateLine } from "./types.ts";

/** A supervisor that was stopped or blocked this long is ended; three beats fit in. Its edge serves on meanwhile. */
const WATCHDOG_SEC = 90;

/** A supervisor that is stopped cannot act on any signal: then it is killed. */
const ABORT_SEC = 5;

/** Between an end and the next start. A start that finds its port taken costs half a second of CPU. */
const RESTART_SEC = 3;

/**
 * The supervisor tells the clients and ends the others in their order, so it alone is asked to stop; systemd's own
 * SIGTERM, to all at once, comes when it is gone.
 */
const STOP =
  'test -z "$$MAINPID" || { kill -TERM "$$MAINPID" && while kill -0 "$$MAINPID"; do sleep 0.1; done; }';

export type SystemdScope = "user" | "system";

/** The text of `clawkit.service`. */
export function systemdUnit(scope: SystemdScope, settings: ServiceSettings): string {
  const { node, entry, stateDir, path, variables, user, startSec, stopSec, memoryMaxBytes } = settings;
  const isSystem = scope === "system";
  const own = isSystem ? "systemctl edit clawkit" : "systemctl --user edit clawkit";
  return `# ${MARK}; to change it, run that again. Your own settings: ${own}
# ${stateLine(stateDir)}

[Unit]
Description=ClawKit gateway
${isSystem ? "Wants=network-online.target\nAfter=network-online.target\n" : ""}# never given up: a port that is free again, or a disk that has room again, is enough
StartLimitIntervalSec=0

[Service]
Type=notify
# Node cannot write to the notify socket: systemd-notify does it, as a child
NotifyAccess=all
${isSystem ? `User=${user.replaceAll("%", "%%")}\n` : ""}WorkingDirectory=~
${environment({ CLAWKIT_STATE_DIR: stateDir, PATH: path, ...variables })}
ExecStart=${quoted(node)} ${argument(entry)} gateway run
ExecStop=-/bin/sh -c ${quoted(`${STOP} 2>/dev/null`)}
Restart=always
RestartSec=${RESTART_SEC}
# refused to start, as with a broken config: trying again does not help
RestartPreventExitStatus=78
TimeoutStartSec=${startSec}
TimeoutStopSec=${stopSec}
WatchdogSec=${WATCHDOG_SEC}
TimeoutAbortSec=${ABORT_SEC}
# after a supervisor that died of itself: SIGTERM has its edge tell the clients 1012. With "mixed" systemd kills it at
# once, and the clients see 1006; so does the watchdog's usual SIGABRT
KillMode=control-group
WatchdogSignal=SIGTERM
# the kernel takes the largest, the gateway, and the supervisor starts it again
OOMPolicy=continue
# no MemoryHigh: a gateway that is throttled is one that hangs
MemoryMax=${memoryMaxBytes}

[Install]
WantedBy=${isSystem ? "multi-user.target" : "default.target"}
`;
}

function environment(variables: Readonly<Record<string, string>>): string {
  const lines = Object.entries(variables).map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`);
  return lines.join("\n");
}

/** One word of a setting, systemd.syntax(7): `%` begins a specifier. */
function quoted(word: string): string {
  return `"${word.replace(/["\\]/g, "\\$&").replaceAll("%", "%%")}"`;
}

/** One argument of a command line, where `$` begins a variable; in the name of the program it does not. */
function argument(word: string): string {
  return quoted(word.replaceAll("$", "$$$$"));
}
