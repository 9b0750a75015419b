import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";

export interface PathOptions {
  /** Seconds after which the router forgets a silent connection. */
  readonly idleSec: number;
  /** What it does with the packets of one that it has forgotten. */
  readonly forgotten: "drop" | "reset";
}

/**
 * A client's host behind a router that translates addresses, as at home or in a mobile network, with real timers of the
 * kernel's connection tracking. Both are network namespaces; the router's other side is this machine.
 */
export class NatPath implements Disposable {
  readonly #router = `ckr-${randomBytes(3).toString("hex")}`;
  readonly #client = `ckc-${randomBytes(3).toString("hex")}`;
  /** This machine, as the client's host reaches it. */
  readonly gateway: string;
  /** The router, as this machine sees all clients behind it. */
  readonly outside: string;

  constructor({ idleSec, forgotten }: PathOptions, subnet: number) {
    // from the range for tests between networks (RFC 2544)
    const [front, back] = [`198.19.${subnet}`, `198.19.${subnet + 1}`];
    this.gateway = `${front}.1`;
    this.outside = `${front}.2`;
    const router = this.#router;
    run(`ip netns add ${router}`);
    run(`ip netns add ${this.#client}`);
    run(`ip link add ${router} type veth peer name eth0 netns ${router}`);
    run(`ip addr add ${front}.1/24 dev ${router}`);
    run(`ip link set ${router} up`);
    inside(router, `ip link add eth1 type veth peer name eth0 netns ${this.#client}`);
    for (const [name, device, address] of [
      [router, "eth0", `${front}.2/24`],
      [router, "eth1", `${back}.1/24`],
      [this.#client, "eth0", `${back}.2/24`],
    ] as const) {
      inside(name, `ip addr add ${address} dev ${device}`);
      inside(name, `ip link set ${device} up`);
    }
    inside(this.#client, "ip link set lo up");
    inside(this.#client, `ip route add default via ${back}.1`);
    const verdict = forgotten === "drop" ? "drop" : "reject with tcp reset";
    for (const rule of [
      "add table ip nat",
      "add chain ip nat post { type nat hook postrouting priority 100; }",
      "add rule ip nat post oifname eth0 masquerade",
      "add chain ip nat pass { type filter hook forward priority 0; }",
      `add rule ip nat pass meta l4proto tcp ct state invalid ${verdict}`,
      // towards a client that it has forgotten: its own address is all that packet names
      "add chain ip nat own { type filter hook input priority 0; }",
      `add rule ip nat own meta l4proto tcp ct state invalid ${verdict}`,
    ]) {
      inside(router, `nft ${rule}`);
    }
    inside(router, "sysctl -qw net.ipv4.ip_forward=1");
    inside(router, `sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_established=${idleSec}`);
    // a packet in the middle of a connection that nobody remembers begins none
    inside(router, "sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0");
  }

  /** The words in front of a command that is to run on the client's host. */
  get onClient(): string[] {
    return ["ip", "netns", "exec", this.#client];
  }

  [Symbol.dispose](): void {
    run(`ip netns del ${this.#client}`);
    run(`ip link del ${this.#router}`);
    run(`ip netns del ${this.#router}`);
  }
}

/** Words are parted at spaces: none of them has one. */
function run(command: string): void {
  const [program, ...args] = command.split(" ");
  execFileSync(program!, args, { timeout: 30_000 });
}

function inside(namespace: string, command: string): void {
  run(`ip netns exec ${namespace} ${command}`);
}
