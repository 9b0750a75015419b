import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import type { Look, Machine } from "../machine.ts";
import type { Fact } from "../types.ts";

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

/** The way to the gateway on this machine: its name, loopback, and whether its port may be listened on. */
export const network: Look = {
  id: "network",
  what: "names, loopback and rules for the port",
  async look(machine) {
    const { target } = machine;
    const [names, rules] = await Promise.all([
      isIP(target.host) === 0 ? namesOf(target.host) : [],
      target.isLocal ? ruleOf(machine) : [],
    ]);
    return [...names, ...(target.isLocal ? loopbackFacts(target.host) : []), ...rules];
  },
};

async function namesOf(host: string): Promise<Fact[]> {
  const source = `lookup of ${host}`;
  const found = await lookup(host, { all: true }).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) {
    return [{ id: "name-unresolved", detail: `its name cannot be resolved (${found.code})`, source }];
  }
  const addresses = found.map(({ address }) => address);
  const isHere = addresses.every((address) => LOOPBACK.test(address));
  const list = addresses.join(", ");
  if (host === "localhost" && !isHere) {
    return [{ id: "localhost-elsewhere", detail: `localhost is ${list} here`, source }];
  }
  if (host !== "localhost" && isHere) {
    return [{ id: "name-is-loopback", detail: `${host} is ${list} here: this very machine`, source }];
  }
  return [{ id: "name-resolved", detail: `${host} is ${list}`, source }];
}

function loopbackFacts(host: string): Fact[] {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const has = (address: string) => own.some((one) => one.address === address);
  const source = "network interfaces";
  if (LOOPBACK.test(host) && !host.includes(":") && !has("127.0.0.1")) {
    return [{ id: "loopback-missing", detail: "no interface has 127.0.0.1: loopback is down", source }];
  }
  if (host === "::1" && !has("::1")) {
    return [{ id: "loopback-without-ipv6", detail: "no interface has ::1: IPv6 is off", source }];
  }
  return [];
}

async function ruleOf({ host, target }: Machine): Promise<Fact[]> {
  const rule = await host.portRule(target.port);
  return rule === undefined ? [] : [{ id: `port-${rule.kind}`, detail: rule.detail, source: "port rules" }];
}
