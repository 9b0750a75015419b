import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";

/** Whether a text is an IP address, or a CIDR range of them. */
export function isAddressRange(text: string): boolean {
  const [address = "", prefix, ...rest] = text.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}

/** Addresses and CIDR ranges, each of the form that `isAddressRange` wants. */
export class AddressRanges {
  readonly #list = new BlockList();

  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const [address, prefix] = range.split("/");
      if (prefix === undefined) this.#list.addAddress(address!, familyOf(address!));
      else this.#list.addSubnet(address!, Number(prefix), familyOf(address!));
    }
  }

  /** What is no address is in none. */
  includes(address: string): boolean {
    return isIP(address) !== 0 && this.#list.check(address, familyOf(address));
  }
}

/** `::ffff:127.0.0.1` is 127.0.0.1. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}

/** The address in what a proxy calls its client: some add the port, which is new for every connection (Azure's do). */
export function addressIn(name: string): string {
  const [, bracketed] = /^\[([^\]]+)\](?::\d+)?$/.exec(name) ?? [];
  const [, withPort] = /^([^:]+):\d+$/.exec(name) ?? [];
  return plainAddress(bracketed ?? withPort ?? name);
}

export function isLoopback(address: string): boolean {
  return address === "::1" || (isIPv4(address) && address.startsWith("127."));
}

/**
 * What boxes in front of a client share: an IPv4 /24, an IPv6 /48. Undefined for what is no address, and for loopback: behind
 * that stand programs of this machine, or a tunnel's clients from everywhere.
 */
export function networkOf(address: string): string | undefined {
  const plain = plainAddress(address).split("%", 1)[0]!;
  if (isLoopback(plain)) return undefined;
  if (isIPv4(plain)) return `${plain.slice(0, plain.lastIndexOf("."))}.0/24`;
  return isIPv6(plain) ? prefixOf(plain, 48) : undefined;
}

/**
 * What one host has for itself, as whoever counts by address has to count: an IPv4 address, an IPv6 /64 (RFC 4291 §2.5.4: the
 * other half is the host's own choice). The text itself of link-local addresses, of IPv4 hosts behind a translator (RFC 6052 §2.1), and of
 * what is no address.
 */
export function hostOf(address: string): string {
  const plain = plainAddress(address);
  return isIPv6(plain) && !/^(fe[89ab]|64:ff9b:|::1$)/i.test(plain) ? prefixOf(plain, 64) : plain;
}

function prefixOf(address: string, bits: 48 | 64): string {
  const [head = "", tail] = address
    .toLowerCase()
    .replaceAll(/\b0+(?=[0-9a-f])/g, "")
    .split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - front.length - back.length }, () => "0");
  return `${[...front, ...zeros, ...back].slice(0, bits / 16).join(":")}::/${bits}`;
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv6(address) ? "ipv6" : "ipv4";
}
