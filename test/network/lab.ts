import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface PathOptions {
  /** Seconds after which the router forgets a silent connection; never, unless told. */
  readonly idleSec?: number;
  /** What it does with the packets of one that it has forgotten. */
  readonly forgotten?: "drop" | "reset";
  /** What it does besides with what it passes on, as nft says it. */
  readonly rules?: readonly string[];
  /** Of its outer cable; what is larger is lost, and nobody is told. */
  readonly mtu?: number;
  /** Further lines of the client's hosts file. */
  readonly hosts?: (path: NatPath) => string;
}

/** Client and inner cable are seen by nobody else: every path has the same. From the range for tests between networks (RFC 2544). */
const INNER = "198.19.255";

/** 198.18.200.0/24 and those behind it: below are those of `TestHost`. */
const FIRST_SUBNET = 200;
const MAX_PATHS = 55;

/**
 * A client's host behind a router that translates addresses, as at home or in a mobile network, with real timers of the
 * kernel's connection tracking. Both are network namespaces; the router's other side is this machine.
 */
export class NatPath implements Disposable {
  readonly #undo = new DisposableStack();
  readonly #router: string;
  protected readonly client: string;
  readonly #outer: string;

  constructor(options: PathOptions = {}) {
    using undo = new DisposableStack();
    const slot = claim(undo);
    this.#outer = `198.18.${FIRST_SUBNET + slot}`;
    this.#router = `ckr-${slot}`;
    this.client = `ckc-${slot}`;
    this.#lay(slot, undo);
    this.#route(options);
    if (options.hosts !== undefined) this.#writeHosts(options.hosts(this), undo);
    this.#undo = undo.move();
  }

  /** This machine, as the client's host reaches it. */
  get gateway(): string {
    return `${this.#outer}.1`;
  }

  /** The router, as this machine sees all clients behind it. */
  get outside(): string {
    return `${this.#outer}.2`;
  }

  /** An address beside it that nobody has. */
  get nobody(): string {
    return `${this.#outer}.9`;
  }

  /** The words in front of a command that is to run on the client's host. */
  get onClient(): string[] {
    return ["ip", "netns", "exec", this.client];
  }

  protected onRouter(command: string): void {
    inside(this.#router, command);
  }

  protected onHost(command: string): void {
    inside(this.client, command);
  }

  /** The client's way to everywhere. */
  protected leadOut(): void {
    this.onHost(`ip route add default via ${INNER}.1`);
  }

  [Symbol.dispose](): void {
    this.#undo.dispose();
  }

  #lay(slot: number, undo: DisposableStack): void {
    const { client } = this;
    const router = this.#router;
    for (const name of [router, client]) {
      run(`ip netns add ${name}`);
      undo.defer(() => run(`ip netns del ${name}`));
    }
    run(`ip link set ${cable(slot)}-r netns ${router}`);
    inside(router, `ip link set ${cable(slot)}-r name eth0`);
    inside(router, `ip link add eth1 type veth peer name eth0 netns ${client}`);
    run(`ip addr add ${this.gateway}/24 dev ${cable(slot)}`);
    run(`ip link set ${cable(slot)} up`);
    for (const [name, device, address] of [
      [router, "eth0", `${this.outside}/24`],
      [router, "eth1", `${INNER}.1/24`],
      [client, "eth0", `${INNER}.2/24`],
    ] as const) {
      inside(name, `ip addr add ${address} dev ${device}`);
      inside(name, `ip link set ${device} up`);
    }
    inside(client, "ip link set lo up");
    this.leadOut();
  }

  #route({ idleSec, forgotten = "drop", rules = [], mtu }: PathOptions): void {
    const router = this.#router;
    const verdict = forgotten === "drop" ? "drop" : "reject with tcp reset";
    for (const rule of [
      "add table ip nat",
      "add chain ip nat post { type nat hook postrouting priority 100; }",
      "add rule ip nat post oifname eth0 masquerade",
      "add chain ip nat pass { type filter hook forward priority 0; }",
      `add rule ip nat pass meta l4proto tcp ct state invalid ${verdict}`,
      // towards a client that it has forgotten: its own address is all that such a packet names
      "add chain ip nat own { type filter hook input priority 0; }",
      `add rule ip nat own meta l4proto tcp ct state invalid ${verdict}`,
      ...rules.map((one) => `add rule ip nat pass ${one}`),
    ]) {
      inside(router, `nft ${rule}`);
    }
    inside(router, "sysctl -qw net.ipv4.ip_forward=1");
    // a packet in the middle of a connection that nobody remembers begins none
    inside(router, "sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0");
    if (idleSec !== undefined) {
      inside(router, `sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_established=${idleSec}`);
    }
    if (mtu !== undefined) {
      inside(router, `ip link set eth0 mtu ${mtu}`);
      inside(router, "nft add chain ip nat told { type filter hook output priority 0; }");
      inside(router, "nft add rule ip nat told icmp type destination-unreachable drop");
    }
  }

  /** Where `ip netns exec` looks for what that host has in place of this one's /etc. */
  #writeHosts(lines: string, undo: DisposableStack): void {
    const folder = join("/etc/netns", this.client);
    mkdirSync(folder, { recursive: true });
    undo.defer(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "hosts"), `127.0.0.1 localhost\n${lines}\n`);
  }
}

/** Lays a cable that nobody has: its name says which addresses are taken, also to tests that run at the same time. */
function claim(undo: DisposableStack): number {
  for (let slot = 0; slot < MAX_PATHS; slot++) {
    try {
      run(`ip link add ${cable(slot)} type veth peer name ${cable(slot)}-r`);
    } catch (error) {
      if (!String((error as { stderr?: Buffer }).stderr).includes("File exists")) throw error;
      continue;
    }
    undo.defer(() => {
      try {
        run(`ip link del ${cable(slot)}`);
      } catch {
        // it went with the router at its other end, sooner or later
      }
    });
    return slot;
  }
  throw new Error(`all ${MAX_PATHS} cables of test networks are laid: ip link show type veth`);
}

function cable(slot: number): string {
  return `ckn${slot}`;
}

/** Words are parted at spaces: none of them has one. */
function run(command: string): void {
  const [program, ...args] = command.split(" ");
  execFileSync(program!, args, { timeout: 30_000, stdio: ["ignore", "pipe", "pipe"] });
}

function inside(namespace: string, command: string): void {
  run(`ip netns exec ${namespace} ${command}`);
}
