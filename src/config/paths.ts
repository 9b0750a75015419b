import { createHash } from "node:crypto";
import { join, resolve } from "node:path";

export interface StatePaths {
  readonly stateDir: string;
  readonly config: string;
  /** The config as it was when a start last found it valid. */
  readonly lastValidConfig: string;
  readonly logsDir: string;
  readonly runDir: string;
  readonly binDir: string;
  /** Where `openclaw` is that `adopt` puts before the real one. */
  readonly adoptedBinDir: string;
  readonly lock: string;
  /** Held while an adoption is made or taken back. */
  readonly adoptLock: string;
  readonly runLog: string;
  readonly recorder: string;
  /** What the built-in gateway has promised its clients. */
  readonly journal: string;
  /** Answers to the playbook's question, one JSON object a line. */
  readonly feedback: string;
  /** What was learned of networks that forget silent connections. */
  readonly networkTimers: string;
  readonly crashesDir: string;
  /** Where Node leaves diagnostic reports until they are collected. */
  readonly reportsDir: string;
}

export function statePaths(stateDir: string): StatePaths {
  const runDir = join(stateDir, "run");
  return {
    stateDir,
    config: join(stateDir, "config.json5"),
    lastValidConfig: join(stateDir, "config.json5.last-valid"),
    logsDir: join(stateDir, "logs"),
    runDir,
    binDir: join(stateDir, "bin"),
    adoptedBinDir: join(stateDir, "adopted-bin"),
    lock: join(runDir, "supervisor.lock"),
    adoptLock: join(runDir, "adopt.lock"),
    runLog: join(runDir, "runs.jsonl"),
    recorder: join(stateDir, "recorder.db"),
    journal: join(stateDir, "journal.db"),
    feedback: join(stateDir, "feedback.jsonl"),
    networkTimers: join(stateDir, "network-timers.json"),
    crashesDir: join(stateDir, "crashes"),
    reportsDir: join(runDir, "reports"),
  };
}

/** What `writeFileAtomic` leaves behind a kill. */
const TEMPORARY = "(\\.[0-9a-f]{12}\\.tmp)?";

/**
 * What ClawKit writes, by the folder of the state directory it is in: a variable may have named a folder that holds
 * other things too, also in a `bin` or a `logs` of its own.
 */
export const OWN_NAMES: Readonly<Record<string, RegExp>> = {
  run: /^(supervisor\.lock|adopt\.lock|runs\.jsonl)(\..+)?$|^(control|console|gateway-\d+)\.sock$|^reports$/,
  logs: /^(gateway|edge|supervisor|control|service)\.log(\.\d+)?$/,
  crashes: /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z-(edge-)?\d+$/,
  repairs: /^r-[0-9a-z]+-[0-9a-f]{6}(\.tmp)?$/,
  service: /^(ClawKit\.xml|clawkit\.vbs)(\.bak)?$/,
  bin: /^$/, // the alias looks at what its scripts are before it removes them
  ".": new RegExp(
    `^(config\\.json5(\\.last-valid|\\.before-patch)?|feedback\\.jsonl|network-timers\\.json)${TEMPORARY}$|^(recorder|journal)\\.db(\\.corrupt-[\\dTZ-]+)?(-wal|-shm)?$`,
  ),
};

/** The state directory: `CLAWKIT_STATE_DIR`, else `.clawkit` in the home directory. */
export function resolveStateDir(env: Readonly<Record<string, string | undefined>>, home: string): string {
  return env.CLAWKIT_STATE_DIR ? resolve(env.CLAWKIT_STATE_DIR) : join(home, ".clawkit");
}

/** sockaddr_un holds 108 bytes on Linux and 104 on macOS, the final zero included. */
const MAX_SOCKET_PATH = 103;

/** The longest name a socket of ours can have: all of them must be found in the same folder. */
const LONGEST_NAME = "gateway-4294967295";

/**
 * Where a local socket of this state directory lives: a named pipe on Windows, a file in `run/` elsewhere, or, if
 * that path is too long for the system, in a private folder of `tempDir` (which the caller creates, mode 0700).
 */
export function socketPath(
  stateDir: string,
  name: string,
  platform: NodeJS.Platform,
  tempDir: string,
): string {
  const hash = createHash("sha256").update(stateDir).digest("hex").slice(0, 16);
  if (platform === "win32") return `\\\\.\\pipe\\clawkit-${hash}-${name}`;
  const { runDir } = statePaths(stateDir);
  const fits = Buffer.byteLength(join(runDir, `${LONGEST_NAME}.sock`)) <= MAX_SOCKET_PATH;
  return join(fits ? runDir : join(tempDir, `clawkit-${hash}`), `${name}.sock`);
}
