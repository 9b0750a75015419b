import type { Cause } from "../types.ts";

export const portNotPermitted: Cause = {
  id: "port-not-permitted",
  title: "The system does not let this user listen on the gateway's port",
  confirmedBy: [["port-privileged", "port-reserved-said"]],
  likelyIf: [["port-privileged", "port-free"]],
  seen: 1,
  remedies: [
    {
      text: "Let everybody listen there, or use a port above the limit.",
      commands: [
        "sudo sysctl net.ipv4.ip_unprivileged_port_start={port}",
        "cat /proc/sys/net/ipv4/ip_unprivileged_port_start",
      ],
      risk: "disruptive",
    },
  ],
};
