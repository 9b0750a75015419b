import { totalmem } from "node:os";
import { delimiter, dirname } from "node:path";
import type { Config } from "../config/schema.ts";
import { ClawkitError } from "../core/errors.ts";
import { shellWord } from "../core/shell-word.ts";
import { findOnPath } from "../host/path-search.ts";
import type { ServiceFacts } from "../host/types.ts";
import { checkSettings } from "../services/check-settings.ts";
import { installedIn } from "../services/definition.ts";
import { drive } from "../services/drive.ts";
import { memoryMax, startSeconds, stopSeconds } from "../services/limits.ts";
import { lookAround } from "../services/look-around.ts";
import { managersOf, type Place } from "../services/place.ts";
import { isShortLived, stablePath } from "../services/stable-path.ts";
import type { ServiceManager, ServiceSettings, ServiceVerb } from "../services/types.ts";
import type { CliContext } from "./context.ts";

/** Folders of programs that every system has. */
const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export function placeOf({ platform, uid, home, paths, env }: CliContext): Promise<Place> {
  return lookAround({ platform, uid, home, stateDir: paths.stateDir, env });
}

/** The service that was installed for this state directory, if one was. */
export async function installedService(context: CliContext): Promise<ServiceManager | undefined> {
  return await installedIn(managersOf(await placeOf(context)), context.paths.stateDir);
}

/** What its manager says of a service; undefined if it does not know it. */
export async function serviceFacts(
  context: CliContext,
  { name, service }: ServiceManager,
): Promise<ServiceFacts | undefined> {
  const services = await context.host.services().catch(() => undefined);
  return services?.find((facts) => facts.manager === name && facts.name === service);
}

/** Whether the manager runs it, or would start it again. */
export function isKept(facts: ServiceFacts | undefined): boolean {
  if (facts === undefined || facts.isRunning) return facts !== undefined;
  if (facts.manager === "launchd") return facts.isNotLoaded !== true;
  if (facts.manager === "Windows task") return facts.state !== "Disabled";
  return /^(activating|deactivating|reloading)\b/.test(facts.state);
}

/** Has the manager do it. Throws what it says, and where to read more. */
export async function driveService(
  { paths }: CliContext,
  manager: ServiceManager,
  verb: ServiceVerb,
): Promise<void> {
  try {
    await drive(manager.commands(verb));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ClawkitError(
      "SERVICE_UNAVAILABLE",
      `Cannot ${verb} the service ${manager.service} (${manager.name}): ${why}${advice(why, manager, paths.stateDir)}`,
      { cause },
    );
  }
}

function advice(why: string, { logCommand }: ServiceManager, stateDir: string): string {
  if (/interactive authentication|access denied|not permitted/i.test(why)) {
    return `; as it is a system service, say: sudo CLAWKIT_STATE_DIR=${shellWord(stateDir)} clawkit …`;
  }
  return `; what it printed: ${logCommand}`;
}

/** What the service is made of, by this config. Throws where no definition could last. */
export async function serviceSettings(context: CliContext, config: Config): Promise<ServiceSettings> {
  const { env, paths, ownTarget, platform } = context;
  const isWindows = platform === "win32";
  const node = isWindows ? ownTarget.node : await stablePath(ownTarget.node, "node", env.PATH);
  const entry = isWindows ? ownTarget.entry : await stablePath(ownTarget.entry, "clawkit", env.PATH);
  for (const path of [node, entry]) {
    if (isShortLived(path)) {
      throw new ClawkitError(
        "SERVICE_UNAVAILABLE",
        `Cannot make a service of ${path}, which will not stay there: install ClawKit first, with npm i -g clawkit`,
      );
    }
  }
  const settings: ServiceSettings = {
    node,
    entry,
    stateDir: paths.stateDir,
    logsDir: paths.logsDir,
    path: await servicePath(context, config, node),
    user: accountOf(context),
    startSec: startSeconds(config.supervisor),
    stopSec: stopSeconds(config.supervisor),
    memoryMaxBytes: memoryMax(totalmem(), config.supervisor),
  };
  return checkSettings(settings, context.home);
}

/** Whoever says sudo means a service that runs in their name; Windows has accounts of the same name in several domains. */
function accountOf({ platform, env, userName }: CliContext): string {
  if (platform === "win32") return env.USERDOMAIN ? `${env.USERDOMAIN}\\${userName}` : userName;
  return env.SUDO_USER ?? userName;
}

/** The folders of Node and of a gateway of its own, then the system's: a shell's PATH has much that is only its own. */
async function servicePath({ env, platform }: CliContext, { gateway }: Config, node: string) {
  if (platform === "win32") return env.PATH ?? env.Path ?? "";
  const { upstream } = gateway;
  const words = upstream.type === "openclaw" ? (upstream.command ?? ["openclaw"]) : undefined;
  const [command] = words ?? (upstream.type === "command" ? upstream.command : []);
  const found = command === undefined ? [] : (await findOnPath(command, env.PATH)).slice(0, 1);
  const folders = [node, ...found].map((path) => dirname(path));
  return [...new Set([...folders, ...SYSTEM_PATH.split(":")])].join(delimiter);
}
