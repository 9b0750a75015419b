import { ClawkitError } from "../../core/errors.ts";
import { withoutSecrets } from "../../core/secrets.ts";
import { ownerOf } from "../../diagnosis/facts/owner.ts";
import type { Machine } from "../../diagnosis/machine.ts";
import type { PortOwner } from "../../host/types.ts";
import type { CliContext } from "../context.ts";
import { machineOf } from "../machine.ts";
import { tableLines } from "../output/table.ts";

interface PortUser {
  readonly role: "listener" | "client";
  readonly pid: number | null;
  readonly user: string | null;
  /** `ours`, `family` (an OpenClaw gateway), `foreign`, or unknown if this user may not look. */
  readonly owner: string;
  readonly address: string;
  readonly command: string;
}

/** `clawkit port [n]`: who listens on the port, and who is connected to it. Exit 0 if somebody listens, 1 if not. */
export async function port(
  context: CliContext,
  text: string | undefined,
  options: { json?: boolean },
): Promise<number> {
  const { out, host, platform } = context;
  const machine = await machineOf(context);
  const number = text === undefined ? machine.target.port : portOf(text);
  const [listeners, clients] = await Promise.all([host.portOwners(number), host.portClients(number)]);
  const users = await Promise.all([
    ...listeners.map((one) => userOf("listener", one, machine)),
    ...clients.map((one) => userOf("client", one, machine)),
  ]);
  const isTaken = listeners.length > 0;
  if (options.json) {
    out.json({ port: number, taken: isTaken, users });
    return isTaken ? 0 : 1;
  }
  out.line(isTaken ? `Port ${number} is taken` : `Port ${number} is free: nothing listens there`);
  if (users.length > 0) {
    const cells = users.map(({ role, pid, user, owner, address, command }) => [
      role,
      pid === null ? "?" : String(pid),
      user ?? "",
      owner,
      address,
      command.trim().slice(0, 100),
    ]);
    for (const line of tableLines([["role", "pid", "user", "whose", "address", "command"], ...cells])) {
      out.line(`  ${line}`);
    }
  }
  const byHand = platform === "win32" ? `netstat -ano | findstr :${number}` : `lsof -i :${number}`;
  out.line(`By hand: ${byHand}`);
  return isTaken ? 0 : 1;
}

function portOf(text: string): number {
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number >= 1 && number <= 65_535) return number;
  throw new ClawkitError(
    "USAGE",
    `The port must be a whole number from 1 to 65535, not ${JSON.stringify(text)}`,
  );
}

async function userOf(role: PortUser["role"], owner: PortOwner, machine: Machine): Promise<PortUser> {
  const { address, pid } = owner;
  const command = withoutSecrets(owner.command ?? "a process that this user may not look at");
  if (pid === undefined) return { role, pid: null, user: null, owner: "unknown", address, command };
  const facts = await machine.host.process(pid);
  if (facts === undefined) return { role, pid, user: null, owner: "unknown", address, command };
  return { role, pid, user: facts.user ?? null, owner: await ownerOf(facts, machine), address, command };
}
