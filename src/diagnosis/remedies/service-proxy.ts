import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeFileAtomic } from "../../host/files.ts";
import type { Machine } from "../machine.ts";
import { LOOPBACK_EXCEPTIONS } from "./by-hand.ts";
import { factsNamed } from "./shared.ts";
import { run, START_MS, unitOf } from "./system.ts";
import type { Repair } from "./types.ts";

const DROP_IN = "90-clawkit-no-proxy.conf";

/** A systemd unit whose own environment sends what is for loopback to a proxy: a drop-in of ours beside it. */
export const excludeServiceLoopback: Repair = {
  id: "exclude-service-loopback",
  helpsWith: ["proxy-captures-loopback"],
  async plan({ machine, examination }) {
    const [fact] = factsNamed(examination, "service-proxy-captures");
    if (fact === undefined) return undefined;
    const [unit, scope] = unitOf(fact);
    const folder = unitFolder(scope.includes("--user"), machine);
    const services = await machine.host.services();
    const service = services?.find(({ name, manager }) => name === unit && manager === fact.source);
    if (folder === undefined || service?.proxyExceptions === undefined) return undefined;
    const path = join(folder, `${unit}.d`, DROP_IN);
    const list = [service.proxyExceptions, LOOPBACK_EXCEPTIONS].filter((part) => part !== "").join(",");
    // "%" is systemd's own (systemd.unit(5), "Specifiers")
    const line = `Environment="NO_PROXY=${list}" "no_proxy=${list}"`.replaceAll("%", "%%");
    return {
      what: `keep loopback out of the proxy of ${unit} (${path}), and restart it`,
      risk: "disruptive",
      files: [path],
      diff: ["+ [Service]", `+ ${line}`],
      undo: [
        { kind: "run", command: ["systemctl", ...scope, "daemon-reload"] },
        // its environment is that of its start
        { kind: "run", command: ["systemctl", ...scope, "try-restart", unit] },
      ],
      settleMs: START_MS,
      apply: async () => {
        await mkdir(dirname(path), { recursive: true });
        await writeFileAtomic(path, `[Service]\n${line}\n`);
        try {
          await run("systemctl", [...scope, "daemon-reload"]);
          await run("systemctl", [...scope, "try-restart", unit]);
        } catch (error) {
          await rm(path, { force: true });
          throw error;
        }
      },
    };
  },
};

/** Where drop-ins of this user, or of the machine, are (systemd.unit(5)); the machine's are root's. */
function unitFolder(isUser: boolean, { env, home, uid }: Machine): string | undefined {
  if (isUser) return join(env.XDG_CONFIG_HOME || join(home, ".config"), "systemd", "user");
  return uid === 0 ? "/etc/systemd/system" : undefined;
}
