import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { withoutSecrets } from "../../core/secrets.ts";
import type { Look, Machine } from "../machine.ts";
import type { Fact } from "../types.ts";
import { largeLogs } from "./own-logs.ts";
import { saidByOpenClaw } from "./said-by-openclaw.ts";
import { saidBySystems } from "./said-by-systems.ts";
import { readText } from "./text.ts";

/** Of a log, the part at its end that is read. */
const TAIL_BYTES = 256 * 1024;
const DEEP_TAIL_BYTES = 4 * 1024 * 1024;

/** A log that was last written to before this says nothing of now. */
const LOG_AGE_MS = 24 * 60 * 60_000;

/** What a gateway says first when it starts: what stands before it was another life. */
const FIRST_WORDS = /loading configuration|\[gateway\] starting\.\.\./;

const SAID_OF_CONFIG = [
  "config-invalid-said",
  "config-key-said",
  "start-blocked-said",
  "origins-required-said",
  "bind-refused-said",
];

/** What happened before that is told by people, not by a log: a log's words are a program's own. */
export const LOG_RULES = [...saidByOpenClaw, ...saidBySystems].filter(({ id }) => id.endsWith("-said"));

export const openclawLogs: Look = {
  id: "openclaw-logs",
  what: "OpenClaw's logs",
  async look(machine) {
    if (!(await machine.isOpenClaw())) return [];
    const logs = await logsOf(machine);
    const facts = largeLogs(logs);
    const recent = logs.filter(({ at }) => machine.clock.wall() - at < LOG_AGE_MS);
    const newest = recent.sort((a, b) => b.at - a.at)[0];
    if (newest === undefined) return facts;
    const text = await tailOf(newest.path, machine.isDeep ? DEEP_TAIL_BYTES : TAIL_BYTES);
    const said = readLog(text, newest, machine);
    return [...facts, ...(await onlyOfNow(said, machine))];
  },
};

/** What a start said of a config that was changed since, or of another gateway's port, is not about this one now. */
export async function onlyOfNow(
  facts: readonly Fact[],
  { openclawConfigPath, target }: Pick<Machine, "openclawConfigPath" | "target">,
): Promise<Fact[]> {
  const changedAt = await stat(openclawConfigPath).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  return facts.filter(({ id, at, detail }) => {
    if (id === "port-taken-said") return detail.includes(`${target.port}`);
    return !SAID_OF_CONFIG.includes(id) || at === undefined || Date.parse(at) >= changedAt;
  });
}

interface LogLine {
  readonly at: string | undefined;
  readonly isTrouble: boolean;
  readonly message: string;
}

/** What the last life in a log says of trouble; lines are JSON objects of OpenClaw's logger, or plain. */
export function readLog(
  text: string,
  { path, at: writtenAt }: Pick<LogFile, "path" | "at">,
  machine: Pick<Machine, "target" | "openclawConfigPath">,
): Fact[] {
  const lines = text
    .split("\n")
    .map(lineOf)
    .filter((line) => line !== undefined);
  const start = lines.findLastIndex(({ message }) => FIRST_WORDS.test(message));
  const life = lines.slice(Math.max(0, start));
  if (isOfAnother(life, machine)) return [];
  const trouble = life.filter(({ isTrouble }) => isTrouble);
  const facts: Fact[] = [];
  for (const { message, at } of trouble) {
    for (const fact of readText(withoutSecrets(message), LOG_RULES)) {
      // a line without a time was written at the latest when its file was
      facts.push({ ...fact, source: path, at: at ?? new Date(writtenAt).toISOString() });
    }
  }
  const last = life.at(-1);
  if (start !== -1 && last !== undefined) {
    const isShutdown = life.some(({ message }) => /received SIG(TERM|INT)|shutting down/.test(message));
    const detail = withoutSecrets(last.message).split("\n")[0]!.slice(0, 200);
    const id = isShutdown ? "log-says-shutdown" : "log-ends-mid-life";
    facts.push({ id, detail: `its last line: ${detail}`, source: path, ...(last.at ? { at: last.at } : {}) });
  }
  return facts;
}

/** All gateways of a user share a folder for logs: a life that names another port or config is another gateway's. */
function isOfAnother(
  life: readonly LogLine[],
  { target, openclawConfigPath }: Pick<Machine, "target" | "openclawConfigPath">,
): boolean {
  const text = life.map(({ message }) => message).join("\n");
  const config = /Invalid config at (\S+?):?$/m.exec(text)?.[1];
  if (config !== undefined && config !== openclawConfigPath) return true;
  const ports = [...text.matchAll(/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):(\d{2,5})\b/g)].map(
    (match) => Number(match[1]),
  );
  return ports.length > 0 && !ports.includes(target.port);
}

function lineOf(line: string): LogLine | undefined {
  if (line.trim() === "") return undefined;
  if (!line.startsWith("{")) return { at: undefined, isTrouble: true, message: line };
  try {
    const value = JSON.parse(line) as {
      message?: unknown;
      time?: unknown;
      _meta?: { logLevelName?: unknown };
    };
    const level = String(value._meta?.logLevelName ?? "");
    return {
      at: typeof value.time === "string" ? value.time : undefined,
      isTrouble: /WARN|ERROR|FATAL/i.test(level),
      message: typeof value.message === "string" ? value.message : "",
    };
  } catch {
    return undefined; // the first line of a tail is cut
  }
}

interface LogFile {
  readonly path: string;
  readonly at: number;
  readonly bytes: number;
}

async function logsOf({ openclawDirs, sharedLogDirs, uid }: Machine): Promise<LogFile[]> {
  const folders = [...openclawDirs.map((dir) => join(dir, "logs")), ...sharedLogDirs];
  const found: LogFile[] = [];
  for (const folder of new Set(folders)) {
    for (const name of await readdir(folder).catch(() => [])) {
      if (!name.endsWith(".log")) continue;
      const path = join(folder, name);
      const facts = await stat(path).catch(() => undefined);
      const isOwn = uid === undefined || facts?.uid === uid;
      if (facts !== undefined && isOwn) found.push({ path, at: facts.mtimeMs, bytes: facts.size });
    }
  }
  return found;
}

async function tailOf(path: string, bytes: number): Promise<string> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const length = Math.min(size, bytes);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString();
  } finally {
    await file.close();
  }
}
