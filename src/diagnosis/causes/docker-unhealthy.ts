import type { Cause } from "../types.ts";

export const dockerUnhealthy: Cause = {
  id: "docker-unhealthy",
  title: "The gateway's container runs and fails its health check",
  confirmedBy: [["container-unhealthy"]],
  // the program that it would be checked with is not in the image: that says nothing of the gateway
  possibleIf: [["container-check-broken"]],
  seen: 1,
  remedies: [
    {
      text: "Docker never acts on `unhealthy`: ClawKit's supervisor inside the container restarts a gateway that fails its check, a gateway without one stays as it is until somebody restarts it.",
      commands: [
        "docker inspect --format='{{json .State.Health}}' {container}",
        "docker restart {container}",
      ],
      risk: "disruptive",
    },
  ],
};
