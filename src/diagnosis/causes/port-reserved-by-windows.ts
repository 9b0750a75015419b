import type { Cause } from "../types.ts";

export const portReservedByWindows: Cause = {
  id: "port-reserved-by-windows",
  title: "Windows keeps the port range for itself (Hyper-V)",
  likelyIf: [["port-excluded", "port-free"], ["port-reserved-said"]],
  seen: 1,
  remedies: [
    {
      text: "Use a port outside the range.",
      commands: ["netsh interface ipv4 show excludedportrange protocol=tcp"],
      risk: "safe",
    },
  ],
};
