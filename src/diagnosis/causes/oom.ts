import type { Cause } from "../types.ts";

export const oom: Cause = {
  id: "oom",
  title: "The gateway runs out of memory: V8's heap, the container's limit, or the machine",
  confirmedBy: [["heap-oom-said"]],
  likelyIf: [
    ["kernel-killed-gateway", "no-gateway-process"],
    ["kernel-oom-said"],
    ["exit-137-said", "memory-told"],
    ["exit-137-said", "kernel-oom-said"],
    ["memory-told", "crash-loop-told"],
    ["memory-told", "gateway-died-told"],
    ["memory-told", "stopped-answering-told"],
  ],
  possibleIf: [
    ["heap-limit-low", "no-gateway-process"],
    ["kernel-killed-node", "no-gateway-process"],
    ["memory-gone"],
    ["memory-limit-near"],
    ["cgroup-has-killed", "no-gateway-process"],
    ["exit-137-said"],
    ["memory-told"],
    ["gateway-died-told"],
  ],
  seen: 12,
  remedies: [
    {
      text: "For V8's own limit raise the heap; for the kernel's or the container's give it more memory or swap.",
      commands: [
        "NODE_OPTIONS=--max-old-space-size=4096 openclaw gateway run",
        "docker update --memory 2g --memory-swap 2g {container}   # in a container, and in its compose file",
      ],
      risk: "disruptive",
    },
  ],
};
