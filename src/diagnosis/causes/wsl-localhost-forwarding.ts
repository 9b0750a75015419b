import type { Cause } from "../types.ts";

export const wslLocalhostForwarding: Cause = {
  id: "wsl-localhost-forwarding",
  title: "Windows does not reach the gateway inside WSL",
  likelyIf: [
    ["port-wsl", "connect-reset"],
    ["port-wsl", "http-silent"],
    ["wsl-said", "wsl-host-told"],
  ],
  possibleIf: [["wsl-said", "cannot-reach-told"]],
  ruledOutBy: ["closed-1001-said"],
  seen: 2,
  remedies: [
    { text: "Use the address of WSL, or mirrored networking.", commands: ["wsl hostname -I"], risk: "safe" },
  ],
};
