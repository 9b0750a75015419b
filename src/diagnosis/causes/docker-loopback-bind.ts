import type { Cause } from "../types.ts";

export const dockerLoopbackBind: Cause = {
  id: "docker-loopback-bind",
  title: "The gateway listens on the container's loopback, which the host does not reach",
  likelyIf: [
    ["port-docker", "connect-reset"],
    ["listening-loopback-said", "docker-said", "from-host-told"],
    ["listening-loopback-said", "docker-said", "refused-said"],
    ["listening-loopback-said", "docker-said", "reset-said"],
    ["binds-loopback-told", "docker-said", "from-host-told"],
    ["inside-works-told", "docker-said", "reset-said"],
    ["inside-works-told", "docker-said", "refused-said"],
  ],
  possibleIf: [
    ["docker-said", "reset-said"],
    ["binds-loopback-told", "docker-said"],
    ["docker-said", "from-host-told"],
    ["docker-said", "cannot-reach-told"],
  ],
  seen: 4,
  remedies: [
    {
      text: "Bind to the container's network, with authentication.",
      commands: ["openclaw config set gateway.bind lan"],
      risk: "disruptive",
    },
  ],
};
