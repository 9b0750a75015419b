import { NatPath } from "./lab.ts";

/** A client's host that moves: its cable, its address to the outside and a VPN come and go. */
export class Roamer extends NatPath {
  #address = 2;

  cutCable(): void {
    this.onHost("ip link set eth0 down");
  }

  mendCable(): void {
    this.onHost("ip link set eth0 up");
    this.leadOut();
  }

  /** Another network's router gives the host another address to the outside, and knows nothing of what was before. */
  changeAddress(): void {
    const before = this.outside;
    this.onRouter("ip addr flush dev eth0");
    this.onRouter(`ip addr add ${before.replace(/\d+$/, String(++this.#address))}/24 dev eth0`);
  }

  /** The way to the gateway leads through it, from an address of its own. */
  startVpn(): void {
    this.onRouter(`ip link add vpn0 type veth peer name vpn0 netns ${this.client}`);
    this.onRouter("ip addr add 10.77.1.1/24 dev vpn0");
    this.onRouter("ip link set vpn0 up");
    this.onHost("ip link set vpn0 up");
    this.onHost("ip addr add 10.77.1.2/24 dev vpn0");
    this.onHost(`ip route add ${this.gateway}/32 via 10.77.1.1 dev vpn0 src 10.77.1.2`);
  }

  stopVpn(): void {
    this.onHost("ip link del vpn0");
  }
}
