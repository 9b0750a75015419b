import { readFile } from "node:fs/promises";
import { parseConfig } from "../../config/parse.ts";
import { resolveConfig } from "../../config/resolve.ts";
import { messageOf } from "../../core/errors.ts";
import type { ServiceFacts } from "../../host/types.ts";
import type { Machine } from "../machine.ts";
import { alertsAdvice } from "./alerts.ts";
import { authAdvice } from "./auth.ts";
import { holdAdvice, keepaliveAdvice } from "./connections.ts";
import { bindAdvice, tlsAdvice } from "./exposure.ts";
import { logAdvice } from "./logs.ts";
import { heapAdvice, memoryRestartAdvice } from "./memory.ts";
import { openclawAdvice } from "./openclaw.ts";
import { permissionAdvice } from "./permissions.ts";
import { restartAdvice } from "./restarts.ts";
import { lingerAdvice, serviceAdvice } from "./service.ts";
import { settingKeys } from "./set-keys.ts";
import type { Advice, Own } from "./types.ts";

/** Looks at ClawKit's own installation, and at OpenClaw's where there is one. Changes nothing. */
export async function harden(machine: Machine): Promise<Advice[]> {
  const [hasOwn, hasOpenClaw] = [await machine.hasOwnState(), await machine.isOpenClaw()];
  if (!hasOwn && !hasOpenClaw) return [];
  const services = await machine.host.services().catch(() => undefined);
  return [
    ...(hasOwn ? await ownAdvice(machine, services) : []),
    ...lingerAdvice(services, machine),
    ...(hasOpenClaw ? await openclawAdvice(machine) : []),
  ];
}

async function ownAdvice(machine: Machine, services: ServiceFacts[] | undefined): Promise<Advice[]> {
  const { stateDir, config: path, recorder } = machine.paths;
  const text = await readFile(path, "utf8").catch(() => "");
  const resolved = (mended: string) => resolveConfig({ path, text: mended }, machine.env);
  const permissions = await permissionAdvice([stateDir, path, recorder], "safe");
  try {
    resolved(text);
  } catch (error) {
    return [invalidAdvice(path, error), serviceAdvice(services), ...permissions];
  }
  const set = settingKeys(path, text, resolved);
  const own: Own = { machine, config: resolved(text), file: parseConfig({ path, text }), set };
  return [
    keepaliveAdvice(own),
    holdAdvice(own),
    ...restartAdvice(own),
    memoryRestartAdvice(own),
    ...(await heapAdvice(own)),
    authAdvice(own),
    await bindAdvice(own),
    tlsAdvice(own),
    await logAdvice(own),
    alertsAdvice(own),
    serviceAdvice(services),
    ...permissions,
  ];
}

/** What else to change is only known of a config that can be read. */
function invalidAdvice(path: string, error: unknown): Advice {
  return {
    id: "config",
    title: `${path} is valid`,
    reason: "a start is refused with it; what else there is to change is said once it can be read",
    current: messageOf(error).replace(`${path}: `, ""),
    state: "yours",
    command: "clawkit config validate",
  };
}
