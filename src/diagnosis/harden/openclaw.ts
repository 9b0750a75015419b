import { readFile } from "node:fs/promises";
import { parseJson5 } from "../../config/parse.ts";
import { newSecret } from "../../core/secrets.ts";
import type { Machine } from "../machine.ts";
import { isStrong } from "./auth.ts";
import { permissionAdvice } from "./permissions.ts";
import { settingKeys } from "./set-keys.ts";
import type { Advice, SetKeys } from "./types.ts";

interface Gateway {
  readonly mode?: unknown;
  readonly bind?: unknown;
  readonly auth?: { readonly mode?: unknown; readonly token?: unknown };
}

/** OpenClaw's files belong to OpenClaw: nothing of them is changed unasked. */
export async function openclawAdvice(machine: Machine): Promise<Advice[]> {
  const path = machine.openclawConfigPath;
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return [];
  let gateway: Gateway | undefined;
  try {
    gateway = (parseJson5({ path, text }) as { gateway?: Gateway } | null)?.gateway;
  } catch {
    const title = "OpenClaw: its config can be read";
    const reason = "a start with a config that is not JSON5 is refused";
    const command = "clawkit doctor";
    return [{ id: "openclaw-config", title, reason, current: "it is not JSON5", state: "yours", command }];
  }
  const set = settingKeys(path, text, (mended) => void parseJson5({ path, text: mended }));
  return [
    NO_PING_KEY,
    modeAdvice(gateway, set),
    authAdvice(gateway, set, path),
    ...(await permissionAdvice([...machine.openclawDirs, path], "disruptive")),
  ];
}

const NO_PING_KEY: Advice = {
  id: "openclaw-keepalive",
  title: "OpenClaw: pings keep idle connections alive",
  reason:
    "OpenClaw pings its clients every 25 s since May 2026 (#76111) and has no key for it: ping, tick and idle times cannot be configured",
  current: "no such key",
  state: "yours",
  command: "clawkit gateway run   # an edge with gateway.keepalive in front of it",
};

function modeAdvice(gateway: Gateway | undefined, set: SetKeys): Advice {
  const base = {
    id: "openclaw-mode",
    title: "OpenClaw: gateway.mode is set",
    reason: "without it a start is refused (exit 78)",
    current: String(gateway?.mode ?? "unset"),
  };
  if (gateway?.mode !== undefined) return { ...base, state: "ok" };
  return { ...base, state: "change", plan: set({ "gateway.mode": '"local"' }, { risk: "disruptive" }) };
}

function authAdvice(gateway: Gateway | undefined, set: SetKeys, path: string): Advice {
  const base = {
    id: "openclaw-auth",
    title: "OpenClaw: clients prove who they are",
    reason: "an address beyond loopback without authentication is refused, or open to all",
    current: `bind ${gateway?.bind ?? "default"}, auth ${gateway?.auth?.mode ?? "token"}`,
  };
  if (gateway?.auth?.mode !== "none") return { ...base, state: "ok" };
  // a token that is no text names a secret that is kept elsewhere
  const token = gateway.auth.token;
  const hasToken = isStrong(token) || typeof token === "object";
  const key = "gateway.auth.token";
  const values = {
    "gateway.auth.mode": '"token"',
    ...(hasToken ? {} : { [key]: JSON.stringify(newSecret()) }),
  };
  return {
    ...base,
    state: "change",
    plan: set(values, { risk: "disruptive", secret: [key] }),
    afterwards: `clients are told to reconnect and need it: read ${key} in ${path}`,
  };
}
