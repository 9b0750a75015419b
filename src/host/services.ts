import { stat } from "node:fs/promises";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { parseArguments } from "./arguments.ts";
import { runCommand } from "./command.ts";
import { journal } from "./journal.ts";
import type { ServiceFacts, ServiceLine } from "./types.ts";

/** Services of gateways: OpenClaw's, ours, and those of its earlier names, which survive a rename (knowledge §6). */
const SYSTEMD_UNITS = ["openclaw-gateway", "openclaw", "clawkit", "clawdbot-gateway", "moltbot-gateway"];
const LAUNCHD_LABELS = ["ai.openclaw.gateway", "dev.clawkit.gateway", "com.clawdbot.gateway"];
const TASK_NAMES = ["OpenClaw Gateway", "ClawKit"];

const SYSTEMD_PROPERTIES =
  "Id,LoadState,ActiveState,SubState,UnitFileState,Result,Restart,ExecMainStatus,NRestarts,StartLimitBurst,Environment,ExecStart";

/** systemctl(1), "is-enabled": nothing starts such a unit on its own, and a masked one not even a person. */
const SWITCHED_OFF = ["disabled", "masked", "masked-runtime"];

/** Of what a service printed, the end: the reason of an exit stands right before it. */
const LOG_LINES = "30";

export async function systemdServices(): Promise<ServiceFacts[] | undefined> {
  const units = SYSTEMD_UNITS.map((name) => `${name}.service`);
  // a shell of su or sudo does not know where its user's manager is
  const { XDG_RUNTIME_DIR = `/run/user/${process.getuid?.()}` } = process.env;
  const show = (scope: readonly string[]) =>
    runCommand("systemctl", [...scope, "show", "--property", SYSTEMD_PROPERTIES, ...units], {
      environment: { XDG_RUNTIME_DIR },
    });
  const [user, system, login] = await Promise.all([
    show(["--user"]),
    show([]),
    runCommand("loginctl", ["show-user", "--property", "Linger"]),
  ]);
  if (user === undefined && system === undefined) return undefined;
  const hasLinger = /^Linger=(yes|no)$/m.exec(login ?? "")?.[1] ?? (await lingerOnDisk());
  return [
    ...parseSystemd(user ?? "").map((facts): ServiceFacts => {
      const ends = hasLinger === undefined ? {} : { endsWithSession: hasLinger === "no" };
      return { ...facts, manager: "systemd (user)", ...ends };
    }),
    ...parseSystemd(system ?? ""),
  ];
}

/** logind keeps it so; a shell that is no session of logind's (`su`, `ssh` without PAM) is told nothing else. */
async function lingerOnDisk(): Promise<"yes" | "no" | undefined> {
  const folder = "/var/lib/systemd";
  if (!(await exists(folder))) return undefined;
  return (await exists(join(folder, "linger", userInfo().username))) ? "yes" : "no";
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** What `systemctl show --property … unit…` prints: blocks of `Key=value`, an empty line between units. */
export function parseSystemd(text: string): ServiceFacts[] {
  return text.split(/\r?\n\r?\n/).flatMap((block): ServiceFacts[] => {
    const value = (key: string) => new RegExp(`^${key}=(.*)$`, "m").exec(block)?.[1]?.trim() ?? "";
    if (!["loaded", "masked"].includes(value("LoadState"))) return [];
    const installed = value("UnitFileState");
    const active = value("ActiveState");
    const result = value("Result");
    const isOdd = result !== "" && result !== "success";
    const status = value("ExecMainStatus");
    return [
      {
        manager: "systemd",
        name: value("Id"),
        isRunning: active === "active",
        state: isOdd ? `${active} (${result})` : `${active} (${value("SubState")})`,
        isStartLimitHit: result === "start-limit-hit" || hasGivenUp(value),
        ...(SWITCHED_OFF.includes(installed) ? { switchedOff: installed } : {}),
        ignoresCleanExit: ["no", "on-failure", "on-abnormal", "on-abort"].includes(value("Restart")),
        ...proxyExceptions(value("Environment")),
        ...(/^\d+$/.test(status) ? { lastExitCode: Number(status) } : {}),
        ...commandOf(value("ExecStart")),
      },
    ];
  });
}

/** Of `Environment=A=1 "B=2 3"`; the small spelling of a variable comes first (nodejs.org, "Built-in Proxy Support"). */
function proxyExceptions(environment: string): { proxyExceptions?: string } {
  const words = environment.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  const env = new Map(
    words.map((word): [string, string] => {
      const [name = "", ...rest] = word.replace(/^"|"$/g, "").split("=");
      return [name, rest.join("=")];
    }),
  );
  const hasProxy = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"].some((name) => env.get(name));
  const isUsed =
    env.get("NODE_USE_ENV_PROXY") === "1" || env.get("NODE_OPTIONS")?.includes("--use-env-proxy");
  return hasProxy && isUsed ? { proxyExceptions: env.get("no_proxy") || env.get("NO_PROXY") || "" } : {};
}

/**
 * systemd keeps the result of the first failure (systemd#32203): a unit that it would restart, that failed, and that
 * was restarted as often as it may be, is one that systemd has given up.
 */
function hasGivenUp(value: (key: string) => string): boolean {
  const burst = Number(value("StartLimitBurst"));
  const restarts = Number(value("NRestarts"));
  const isRestarted = !["", "no"].includes(value("Restart"));
  return value("ActiveState") === "failed" && isRestarted && burst > 0 && restarts >= burst;
}

/** `{ path=… ; argv[]=… ; ignore_errors=no ; …}` of systemd 252: arguments stand between blanks, without quotes. */
function commandOf(value: string): { command?: string[] } {
  const [, path, args] = /^\{ path=(.*?) ; argv\[\]=(.*?) ; (?:ignore_errors|flags)=/.exec(value) ?? [];
  return path === undefined ? {} : { command: [path, ...args!.slice(path.length).trim().split(" ")] };
}

/** The journal of a unit. */
export async function systemdLog({ manager, name }: ServiceFacts): Promise<ServiceLine[] | undefined> {
  const scope = manager === "systemd (user)" ? ["--user"] : [];
  const lines = await journal([...scope, "-u", name, "-n", LOG_LINES, "--since", "-1d", "-o", "short-unix"]);
  return lines?.flatMap(parseLogLine);
}

/** `1790077571.123456 host node[812]: text`, as `journalctl -o short-unix` prints it. */
export function parseLogLine(line: string): ServiceLine[] {
  const [, seconds, text] = /^(\d+\.\d+) \S+ [^:]+: (.*)$/.exec(line) ?? [];
  return seconds === undefined ? [] : [{ at: Number(seconds) * 1000, text: text! }];
}

export async function launchdServices(): Promise<ServiceFacts[] | undefined> {
  const found = await Promise.all(
    LAUNCHD_LABELS.map(async (label): Promise<ServiceFacts | undefined> => {
      const uid = process.getuid?.() ?? 0;
      const [printed, isInstalled] = await Promise.all([
        runCommand("/bin/launchctl", ["print", `gui/${uid}/${label}`]),
        exists(join(homedir(), "Library", "LaunchAgents", `${label}.plist`)),
      ]);
      return parseLaunchd(label, printed, isInstalled);
    }),
  );
  return found.filter((facts) => facts !== undefined);
}

/** What `launchctl print gui/<uid>/<label>` prints; nothing on standard output for a label that is not loaded. */
export function parseLaunchd(
  label: string,
  text: string | undefined,
  isInstalled: boolean,
): ServiceFacts | undefined {
  const state = /^\s*state = (.+)$/m.exec(text ?? "")?.[1]?.trim();
  if (state === undefined) {
    if (!isInstalled) return undefined;
    const facts = { isRunning: false, state: "installed, not loaded", isNotLoaded: true };
    return { manager: "launchd", name: label, ...facts };
  }
  const list = /^\s*arguments = \{\n([\s\S]*?)\n\s*\}/m.exec(text ?? "")?.[1];
  const command = list?.split("\n").map((line) => line.trim());
  const exit = /^\s*last exit code = (\d+)/m.exec(text ?? "")?.[1];
  return {
    manager: "launchd",
    name: label,
    isRunning: state === "running",
    state,
    ...(exit === undefined ? {} : { lastExitCode: Number(exit) }),
    ...(command === undefined ? {} : { command }),
  };
}

export async function taskServices(
  powershell: (script: string) => Promise<string>,
): Promise<ServiceFacts[] | undefined> {
  const names = TASK_NAMES.map((name) => `'${name}'`).join(",");
  const answer = await powershell(
    `ConvertTo-Json -Compress -Depth 3 -InputObject @(Get-ScheduledTask -TaskName ${names} -ErrorAction SilentlyContinue` +
      " | ForEach-Object { @{ Name = $_.TaskName; State = [string]$_.State;" +
      " Battery = $_.Settings.StopIfGoingOnBatteries; Limit = $_.Settings.ExecutionTimeLimit;" +
      " Program = $_.Actions[0].Execute; Arguments = $_.Actions[0].Arguments;" +
      " Result = ($_ | Get-ScheduledTaskInfo).LastTaskResult } })",
  ).catch(() => undefined);
  return answer === undefined ? undefined : parseTasks(answer);
}

/** The JSON of the script above. A time limit of PT0S is none. */
export function parseTasks(json: string): ServiceFacts[] {
  const tasks = JSON.parse(json.trim()) as {
    Name: string;
    State: string;
    Battery: boolean | null;
    Limit: string | null;
    Result: number | null;
    Program?: string | null;
    Arguments?: string | null;
  }[];
  return tasks.map(({ Name, State, Battery, Limit, Result, Program, Arguments }) => {
    const endedBy: string[] = [];
    if (Battery === true) endedBy.push("it is stopped when the machine runs on battery");
    if (Limit !== null && Limit !== "" && Limit !== "PT0S") endedBy.push(`it is stopped after ${Limit}`);
    return {
      manager: "Windows task",
      name: Name,
      isRunning: State === "Running",
      state: State,
      endedBy,
      ...(Result === null ? {} : { lastExitCode: Result }),
      ...(Program ? { command: [Program.replaceAll('"', ""), ...parseArguments(Arguments ?? "")] } : {}),
    };
  });
}
