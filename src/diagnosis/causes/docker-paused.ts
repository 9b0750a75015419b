import type { Cause } from "../types.ts";

export const dockerPaused: Cause = {
  id: "docker-paused",
  title: "The gateway's container is paused",
  confirmedBy: [["container-paused"]],
  seen: 1,
  remedies: [{ text: "Let it go on.", commands: ["docker unpause {container}"], risk: "disruptive" }],
};
