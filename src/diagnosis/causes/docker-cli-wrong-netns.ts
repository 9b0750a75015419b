import type { Cause } from "../types.ts";

export const dockerCliWrongNetns: Cause = {
  id: "docker-cli-wrong-netns",
  title: "The CLI runs in a container of its own, where 127.0.0.1 is not the gateway",
  confirmedBy: [["cli-container-refused"]],
  likelyIf: [["docker-cli-run-said", "refused-said"], ["docker-cli-run-said"]],
  possibleIf: [["docker-said", "cannot-reach-told"], ["cli-container-apart"]],
  seen: 3,
  remedies: [
    {
      text: "Share the network (network_mode: \"service:{service}\" for the CLI's service), or run the command inside the gateway's container.",
      commands: ["docker compose exec {service} openclaw gateway status"],
      risk: "safe",
    },
  ],
};
