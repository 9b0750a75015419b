import { withoutSecrets } from "../../core/secrets.ts";
import { familyOf, ownerOf } from "../../diagnosis/facts/owner.ts";
import type { ProcessFacts } from "../../host/types.ts";
import type { CliContext } from "../context.ts";
import { machineOf } from "../machine.ts";
import { tableLines } from "../output/table.ts";

const BYTES_PER_MB = 2 ** 20;

/** What the playbook's first step lists beside gateways: everything with the name in its command line. */
const NAMED = /openclaw|clawdbot|moltbot|clawkit/i;

/** `clawkit ps`: processes of gateways, and whose they are. Exit 0 if one lives, 1 if none does. */
export async function ps(context: CliContext, options: { json?: boolean }): Promise<number> {
  const { out, platform, host } = context;
  const machine = await machineOf(context);
  const family = (await familyOf(machine)).map(({ pid }) => pid);
  const named = (await machine.processes()).filter(
    ({ pid, command }) => NAMED.test(command) && pid !== context.pid,
  );
  const rows = await Promise.all(
    named.map(async (one) => {
      const usage = await host.usage(one.pid);
      const owner = await ownerOf(one, machine);
      const { pid, user, state } = one;
      const command = withoutSecrets(one.command);
      const rssMb = usage === undefined ? null : Math.round(usage.rssBytes / BYTES_PER_MB);
      return {
        pid,
        user: user ?? null,
        state,
        owner,
        isGateway: isGateway(one, owner, family),
        rssMb,
        command,
      };
    }),
  );
  const isAlive = rows.some(({ isGateway: is, state }) => is && state !== "zombie");
  const sorted = rows.sort((a, b) => Number(b.isGateway) - Number(a.isGateway) || a.pid - b.pid);
  if (options.json) {
    out.json({ alive: isAlive, processes: sorted });
    return isAlive ? 0 : 1;
  }
  out.line(isAlive ? "A gateway process is running" : "No gateway process is running");
  if (sorted.length > 0) {
    const cells = sorted.map((row) => [
      String(row.pid),
      row.user ?? "",
      row.state,
      row.owner,
      row.isGateway ? "gateway" : "",
      row.rssMb === null ? "" : `${row.rssMb} MB`,
      row.command.trim().slice(0, 100),
    ]);
    const head = ["pid", "user", "state", "whose", "what", "memory", "command"];
    for (const line of tableLines([head, ...cells])) out.line(`  ${line}`);
  }
  out.line(`By hand: ${platform === "win32" ? "tasklist | findstr openclaw" : "ps aux | grep openclaw"}`);
  return isAlive ? 0 : 1;
}

function isGateway({ pid, command }: ProcessFacts, owner: string, family: readonly number[]): boolean {
  return family.includes(pid) || (owner === "ours" && /^openclaw gateway/.test(command));
}
