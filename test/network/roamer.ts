import { execFileSync } from "node:child_process";

/** Days: as if it never forgot. */
const PATIENT_SEC = 432_000;

/**
 * A client's host behind a router that translates addresses, forgets silent connections after `idleSec` and drops, without a
 * word, what belongs to none that it knows. Made for hosts that move: beside `NatPath` its cables, addresses and a VPN come
 * and go. Its addresses are of the range for tests between networks (RFC 2544).
 */
export class Roamer implements Disposable {
  /** This machine, as the host reaches it. */
  readonly gateway: string;
  readonly #front: string;
  readonly #router: string;
  readonly #client: string;
  #address = 2;

  /** `subnet` is that of no other path, and below 120. */
  constructor(subnet: number, idleSec = PATIENT_SEC) {
    this.#front = `198.19.${subnet}`;
    this.#router = `ckm-${subnet}`;
    this.#client = `ckm-${subnet}c`;
    this.gateway = `${this.#front}.1`;
    try {
      this.#lay(idleSec);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** The words in front of a command that is to run on the host. */
  get onClient(): string[] {
    return ["ip", "netns", "exec", this.#client];
  }

  cutCable(): void {
    this.#onHost("ip link set eth0 down");
  }

  mendCable(): void {
    this.#onHost("ip link set eth0 up");
    this.#onHost("ip route add default via 10.77.0.1");
  }

  /** Another network's router gives the host another address to the outside, and knows nothing of what was before. */
  changeAddress(): void {
    this.#onRouter("ip addr flush dev eth0");
    this.#onRouter(`ip addr add ${this.#front}.${++this.#address}/24 dev eth0`);
  }

  /** The way to the gateway leads through it, from an address of its own. */
  startVpn(): void {
    this.#onHost("ip link set vpn0 up");
    this.#onHost("ip addr add 10.77.1.2/24 dev vpn0");
    this.#onHost(`ip route add ${this.gateway}/32 via 10.77.1.1 dev vpn0 src 10.77.1.2`);
  }

  stopVpn(): void {
    this.#onHost("ip addr flush dev vpn0");
    this.#onHost("ip link set vpn0 down");
  }

  [Symbol.dispose](): void {
    for (const command of [
      `ip link del ${this.#router}`,
      `ip netns del ${this.#client}`,
      `ip netns del ${this.#router}`,
    ]) {
      try {
        run(command);
      } catch {
        // what was not laid, or is gone with the namespace at its other end
      }
    }
  }

  #lay(idleSec: number): void {
    const [router, client, front] = [this.#router, this.#client, this.#front];
    run(`ip netns add ${router}`);
    run(`ip netns add ${client}`);
    run(`ip link add ${router} type veth peer name eth0 netns ${router}`);
    run(`ip addr add ${front}.1/24 dev ${router}`);
    run(`ip link set ${router} up`);
    this.#onRouter(`ip link add eth1 type veth peer name eth0 netns ${client}`);
    this.#onRouter(`ip link add eth2 type veth peer name vpn0 netns ${client}`);
    for (const [device, address] of [
      ["eth0", `${front}.2/24`],
      ["eth1", "10.77.0.1/24"],
      ["eth2", "10.77.1.1/24"],
    ]) {
      this.#onRouter(`ip addr add ${address} dev ${device}`);
      this.#onRouter(`ip link set ${device} up`);
    }
    this.#onHost("ip link set lo up");
    this.#onHost("ip addr add 10.77.0.2/24 dev eth0");
    this.mendCable();
    for (const rule of [
      "add table ip nat",
      "add chain ip nat post { type nat hook postrouting priority 100; }",
      "add rule ip nat post oifname eth0 masquerade",
      "add chain ip nat pass { type filter hook forward priority 0; }",
      "add rule ip nat pass meta l4proto tcp ct state invalid drop",
      // what comes for a connection that it has forgotten is for the router itself, which would answer with a reset
      "add chain ip nat own { type filter hook input priority 0; }",
      "add rule ip nat own meta l4proto tcp drop",
    ]) {
      this.#onRouter(`nft ${rule}`);
    }
    this.#onRouter("sysctl -qw net.ipv4.ip_forward=1");
    this.#onRouter(`sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_established=${idleSec}`);
    // a packet in the middle of a connection that nobody remembers begins none
    this.#onRouter("sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0");
  }

  #onRouter(command: string): void {
    run(`ip netns exec ${this.#router} ${command}`);
  }

  #onHost(command: string): void {
    run(`ip netns exec ${this.#client} ${command}`);
  }
}

/** Words are parted at spaces: none of them has one. */
function run(command: string): void {
  const [program, ...args] = command.split(" ");
  execFileSync(program!, args, { timeout: 30_000, stdio: ["ignore", "pipe", "pipe"] });
}
