import type { TestHost } from "../helpers/network.ts";

/** From now on that host's firewall treats packets to the port so: `drop`, or `reject with tcp reset`. */
export function blockPort(host: TestHost, port: number, verdict: "drop" | "reject with tcp reset"): void {
  const rules = [
    "add table inet fault",
    "add chain inet fault input { type filter hook input priority 0; policy accept; }",
    `add rule inet fault input tcp dport ${port} ${verdict}`,
  ];
  host.exec("nft", rules.join("; "));
}
