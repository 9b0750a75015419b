import type { ProcessFacts } from "../../host/types.ts";
import type { Look, Machine } from "../machine.ts";
import type { Fact } from "../types.ts";
import { ownerOf } from "./owner.ts";

/** Programs that listen for what runs in a container, or in WSL: behind them may be a gateway. */
const PROXIES = [
  {
    id: "port-docker",
    program: /^(docker-proxy|com\.docker\.\w+|vpnkit|rootlesskit|rootlessport|gvproxy)(\.exe)?$/i,
  },
  { id: "port-wsl", program: /^wsl(relay|host)\.exe$/i },
];

export const port: Look = {
  id: "port",
  what: "who listens on the gateway's port",
  async look(machine) {
    const { target } = machine;
    if (!target.isLocal) return [];
    const source = `listeners of port ${target.port}`;
    const owners = await machine.portOwners();
    if (owners.length === 0) {
      const free: Fact = { id: "port-free", detail: `nothing listens on port ${target.port}`, source };
      return [free, ...(await heldByClients(machine))];
    }
    const addresses = [...new Set(owners.map(({ address }) => address))];
    const facts: Fact[] = [];
    if (!addresses.some(isReachableFrom(target.host))) {
      const detail = `port ${target.port} is listened on at ${addresses.join(", ")}, not at ${target.host}`;
      facts.push({ id: "listens-elsewhere", detail, source });
    }
    return [...facts, ...(await listeners(machine))];
  },
};

/** Whose each process is that listens on the target's port. */
export async function listeners(machine: Machine): Promise<Fact[]> {
  const owners = machine.target.isLocal ? await machine.portOwners() : [];
  const pids = [...new Set(owners.map(({ pid }) => pid))];
  return (await Promise.all(pids.map((pid) => factsOf(pid, machine)))).flat();
}

/** Connections that a gateway accepted keep nobody from its port; a client's that was given it does (EADDRINUSE). */
async function heldByClients(machine: Machine): Promise<Fact[]> {
  const { host, target } = machine;
  const users = await host.portUsers(target.port);
  const facts = await Promise.all(
    users.map(async ({ address, pid, command }): Promise<Fact[]> => {
      const found = pid === undefined ? undefined : await host.process(pid);
      if (found !== undefined && (await ownerOf(found, machine)) !== "foreign") return [];
      const who =
        pid === undefined ? "a process that this user may not look at" : `pid ${pid}: ${command ?? ""}`;
      const detail = `a connection of a client has the port (${address}:${target.port}): ${who}`;
      return [{ id: "port-held-by-client", detail, source: `connections from port ${target.port}` }];
    }),
  );
  return facts.flat();
}

async function factsOf(pid: number | undefined, machine: Machine): Promise<Fact[]> {
  const { port: number } = machine.target;
  const source = `listeners of port ${number}`;
  if (pid === undefined) {
    const detail = `a process that this user may not look at listens on port ${number}`;
    return [{ id: "port-owner-hidden", detail, source }];
  }
  const found = await machine.host.process(pid);
  if (found === undefined) return []; // it has just ended
  const command = found.command.trim();
  const detail = `pid ${pid} listens on port ${number}: ${command}`;
  const proxy = proxyOf(found);
  if (proxy !== undefined) return [{ id: proxy.id, detail, source }];
  return [{ id: `port-${await ownerOf(found, machine)}`, detail, source }];
}

/** What listens for others; undefined of a process that serves the port itself. */
export function proxyOf(process: ProcessFacts): (typeof PROXIES)[number] | undefined {
  return PROXIES.find(({ program }) => program.test(nameOf(process)));
}

/** Of its file: anybody may call themselves anything. Where that may not be seen, of its command. */
function nameOf({ executable, command }: ProcessFacts): string {
  return (executable ?? command.split(" ")[0]!).split(/[/\\]/).at(-1)!;
}

/** Listening on every address, or on the one that is asked. */
function isReachableFrom(host: string): (address: string) => boolean {
  const isV6 = host.includes(":");
  return (address) => {
    if (address === "0.0.0.0") return !isV6;
    if (address === "::") return true; // dual-stack, as Node listens
    if (host === "localhost") return address === "127.0.0.1" || address === "::1";
    return address === host || address === `0:0:0:0:0:ffff:${host}`;
  };
}
