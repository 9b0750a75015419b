import { chmod, readFile, stat, statfs } from "node:fs/promises";
import { freemem, totalmem } from "node:os";
import { setInText } from "../config/edit.ts";
import { parseJson5 } from "../config/parse.ts";
import { resolveConfig } from "../config/resolve.ts";
import type { Config } from "../config/schema.ts";
import { replaceFile } from "../host/files.ts";
import type { Machine } from "./machine.ts";
import { changedKeys } from "./remedies/shared.ts";
import type { Plan } from "./remedies/types.ts";

/** What should be otherwise before it breaks again. */
export interface Advice {
  readonly id: string;
  readonly title: string;
  /** Why, with the number's source. */
  readonly reason: string;
  readonly current: string;
  /** `ok`: nothing to do; `change`: `plan` does it; `yours`: only a person can. */
  readonly state: "ok" | "change" | "yours";
  readonly plan?: Plan;
  /** What a person would type. */
  readonly command?: string;
}

/** Firewalls and NATs forget idle connections after 30 to 120 s (the playbook; knowledge: network.md). */
const LONGEST_KEEPALIVE_SEC = 25;

/** Clients give up after 15 s (the reference client's handshake). */
const LONGEST_HOLD_SEC = 14;

/** 22 characters of base64url are 128 bits. */
const MIN_SECRET_CHARS = 22;

/** All logs together, with their rotated files, should leave most of the disk alone. */
const MAX_LOG_SHARE = 0.1;

const LOGS = 3;
const MB = 2 ** 20;
const OTHERS_MAY = 0o077;

/** Looks at ClawKit's own installation, and at OpenClaw's where there is one. Changes nothing. */
export async function harden(machine: Machine): Promise<Advice[]> {
  const own = (await machine.hasOwnState()) ? await ownAdvice(machine) : [];
  const openclaw = (await machine.isOpenClaw()) ? await openclawAdvice(machine) : [];
  return [...own, ...openclaw];
}

async function ownAdvice(machine: Machine): Promise<Advice[]> {
  const path = machine.paths.config;
  const text = await readFile(path, "utf8").catch(() => "");
  const config = resolveConfig({ path, text }, machine.env);
  const set = (key: string, literal: string) => setPlan(path, text, key, literal);
  return [
    keepaliveAdvice(config, set),
    holdAdvice(config, set),
    memoryAdvice(config, set),
    ...exposureAdvice(config),
    await logAdvice(config, machine),
    alertsAdvice(config),
    await serviceAdvice(machine),
    ...(await permissionAdvice([machine.paths.stateDir, path, machine.paths.recorder])),
  ];
}

type SetKey = (key: string, literal: string) => Plan;

function setPlan(path: string, text: string, key: string, literal: string): Plan {
  const after = setInText(text, key.split("."), literal);
  return {
    what: `set ${key} to ${literal} in ${path}`,
    risk: "safe",
    files: [path],
    diff: changedKeys(text, after, [key]),
    // read again: another piece of advice may have changed it since
    apply: async () => {
      const now = await readFile(path, "utf8").catch(() => "");
      await replaceFile(path, setInText(now, key.split("."), literal));
    },
  };
}

function keepaliveAdvice({ gateway: { keepalive } }: Config, set: SetKey): Advice {
  const base = {
    id: "keepalive",
    title: "Pings keep idle connections alive",
    reason: `firewalls and routers forget connections that are silent for 30 to 120 s; below ${LONGEST_KEEPALIVE_SEC} s is safe`,
  };
  if (!keepalive.enabled) {
    return { ...base, current: "off", state: "change", plan: set("gateway.keepalive.enabled", "true") };
  }
  const current = `every ${keepalive.intervalSec} s`;
  if (keepalive.intervalSec <= LONGEST_KEEPALIVE_SEC) return { ...base, current, state: "ok" };
  return { ...base, current, state: "change", plan: set("gateway.keepalive.intervalSec", "20") };
}

function holdAdvice({ gateway: { hold } }: Config, set: SetKey): Advice {
  const base = {
    id: "hold",
    title: "Clients are held while the gateway starts",
    reason: "a client that is held is served a moment later; clients themselves give up after 15 s",
    current: `${hold.maxSec} s`,
  };
  if (hold.maxSec >= 1 && hold.maxSec <= LONGEST_HOLD_SEC) return { ...base, state: "ok" };
  return { ...base, state: "change", plan: set("gateway.hold.maxSec", "12") };
}

function memoryAdvice({ supervisor }: Config, set: SetKey): Advice {
  const machine = `${Math.round(totalmem() / MB)} MB of memory, ${Math.round(freemem() / MB)} MB free`;
  const base = {
    id: "memory-restart",
    title: "The gateway is restarted before it runs out of memory",
    reason:
      "a restart that is announced loses nothing; being killed for memory does (issue #154812: a leak of 6 GB)",
    current: `${supervisor.memoryRestart ? "on" : "off"} (${machine})`,
  };
  if (supervisor.memoryRestart) return { ...base, state: "ok" };
  return { ...base, state: "change", plan: set("supervisor.memoryRestart", "true") };
}

function exposureAdvice({ gateway }: Config): Advice[] {
  const { bind, auth, tls } = gateway;
  const isLoopback = bind === "loopback" || bind === "::1" || bind.startsWith("127.");
  const secret = auth.mode === "token" ? auth.token : auth.password;
  const isWeak = auth.mode !== "none" && (secret ?? "").length < MIN_SECRET_CHARS;
  const authState = auth.mode === "none" || isWeak ? "yours" : "ok";
  const weak = isWeak ? `, its secret has fewer than ${MIN_SECRET_CHARS} characters` : "";
  return [
    {
      id: "auth",
      title: "Clients prove who they are",
      reason: "whoever reaches the port can otherwise use the gateway, any program of this machine included",
      current: `${auth.mode}${weak}`,
      state: authState,
      command: "clawkit config set gateway.auth.mode '\"token\"'",
    },
    {
      id: "bind",
      title: "It listens where it is needed, and no further",
      reason: "an address beyond loopback can be reached by others",
      current: bind,
      state: isLoopback || tls !== undefined ? "ok" : "yours",
      command: "clawkit config set gateway.bind '\"loopback\"'   # and ssh -L, or tailscale, from elsewhere",
    },
    {
      id: "tls",
      title: "Nobody on the way reads along",
      reason: "without TLS, tokens cross the network readable",
      current: tls === undefined ? "off" : "on",
      state: isLoopback || tls !== undefined ? "ok" : "yours",
      command: 'clawkit config set gateway.tls \'{ cert: "/path/cert.pem", key: "/path/key.pem" }\'',
    },
  ];
}

async function logAdvice({ logs, recorder }: Config, { paths }: Machine): Promise<Advice> {
  const { blocks, bsize } = await statfs(paths.stateDir);
  const most = (logs.maxMb * (logs.keep + 1) * LOGS + recorder.maxMb) * MB;
  const share = most / (blocks * bsize);
  return {
    id: "log-bounds",
    title: "Logs and records cannot fill the disk",
    reason: "a full disk ends gateways (#95902), and a log of gigabytes makes its readers fail (#25818)",
    current: `at most ${Math.round(most / MB)} MB, ${(share * 100).toFixed(1)} % of the disk`,
    state: share <= MAX_LOG_SHARE ? "ok" : "yours",
    command: "clawkit config set logs.maxMb 5",
  };
}

function alertsAdvice({ alerts }: Config): Advice {
  const receivers = alerts.webhooks.length + (alerts.heartbeat.url === undefined ? 0 : 1);
  return {
    id: "alerts",
    title: "Somebody is told when it goes down",
    reason: "outages of five to eight hours went unnoticed (#53684, #12768)",
    current: `${receivers} receivers`,
    state: receivers > 0 ? "ok" : "yours",
    command: 'clawkit config set alerts.webhooks \'[{ url: "https://ntfy.sh/your-topic", format: "ntfy" }]\'',
  };
}

async function serviceAdvice({ host }: Machine): Promise<Advice> {
  const services = await host.services().catch(() => undefined);
  const ours = services?.find(({ name }) => name.includes("clawkit"));
  const base = {
    id: "service",
    title: "It comes back when the machine restarts",
    reason:
      "the supervisor brings back the gateway; only a service manager, or Docker, brings back the supervisor",
  };
  if (ours?.endsWithSession === true) {
    const command = "sudo loginctl enable-linger $USER";
    return { ...base, current: "it ends when its user logs out", state: "yours", command };
  }
  if (ours !== undefined) return { ...base, current: `${ours.manager}: ${ours.state}`, state: "ok" };
  const current = services === undefined ? "no service manager answers here" : "no service of ClawKit";
  const command =
    "clawkit gateway run   # as the command of a service, or of a container with restart: unless-stopped";
  return { ...base, current, state: "yours", command };
}

async function permissionAdvice(paths: readonly string[]): Promise<Advice[]> {
  const found = await Promise.all(
    paths.map(async (path): Promise<Advice | undefined> => {
      const facts = await stat(path).catch(() => undefined);
      if (facts === undefined) return undefined;
      const mode = facts.mode & 0o7777;
      const base = {
        id: "permissions",
        title: `Only its owner reads ${path}`,
        reason: "tokens, logs and addresses of clients are in there",
        current: mode.toString(8).padStart(4, "0"),
      };
      if ((mode & OTHERS_MAY) === 0) return { ...base, state: "ok" };
      const wanted = mode & ~OTHERS_MAY;
      const plan: Plan = {
        what: `chmod ${wanted.toString(8)} ${path}`,
        risk: "safe",
        undo: [{ kind: "mode", path, mode }],
        apply: () => chmod(path, wanted),
      };
      return { ...base, state: "change", plan };
    }),
  );
  return found.filter((advice) => advice !== undefined);
}

/** OpenClaw's config belongs to OpenClaw: beyond its permissions this only says what to type. */
async function openclawAdvice(machine: Machine): Promise<Advice[]> {
  const path = machine.openclawConfigPath;
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return [];
  let gateway: { mode?: unknown; bind?: unknown; auth?: { mode?: unknown } } | undefined;
  try {
    gateway = (parseJson5({ path, text }) as { gateway?: typeof gateway } | null)?.gateway;
  } catch {
    const title = "OpenClaw: its config can be read";
    const reason = "a start with a config that is not JSON5 is refused";
    const command = "clawkit doctor";
    return [{ id: "openclaw-config", title, reason, current: "it is not JSON5", state: "yours", command }];
  }
  return [
    {
      id: "openclaw-keepalive",
      title: "OpenClaw: pings keep idle connections alive",
      reason:
        "OpenClaw pings its clients every 25 s since May 2026 (#76111) and has no key for it: ping, tick and idle times cannot be configured",
      current: "no such key",
      state: "yours",
      command: "clawkit gateway run   # an edge with gateway.keepalive in front of it",
    },
    {
      id: "openclaw-mode",
      title: "OpenClaw: gateway.mode is set",
      reason: "without it a start is refused (exit 78)",
      current: String(gateway?.mode ?? "unset"),
      state: gateway?.mode === undefined ? "yours" : "ok",
      command: "openclaw config set gateway.mode local",
    },
    {
      id: "openclaw-auth",
      title: "OpenClaw: clients prove who they are",
      reason: "an address beyond loopback without authentication is refused, or open to all",
      current: `bind ${gateway?.bind ?? "default"}, auth ${gateway?.auth?.mode ?? "token"}`,
      state: gateway?.auth?.mode === "none" ? "yours" : "ok",
      command: "openclaw config set gateway.auth.mode token",
    },
    ...(await permissionAdvice([...machine.openclawDirs, path])),
  ];
}
