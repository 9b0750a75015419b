import type { Cause } from "../types.ts";

export const dockerLoopbackBind: Cause = {
  id: "docker-loopback-bind",
  title: "The gateway listens on the container's loopback, which the host does not reach",
  confirmedBy: [
    ["container-listens-loopback", "connect-reset"],
    // without Docker's proxy in between (userland-proxy: false)
    ["container-listens-loopback", "connect-refused"],
  ],
  likelyIf: [
    ["container-told-loopback", "connect-reset"],
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
  ruledOutBy: ["container-nothing-listens"],
  seen: 4,
  remedies: [
    {
      text: "Bind to the container's network, with authentication, and make the container anew.",
      commands: ["openclaw config set gateway.bind lan", "docker compose up -d {service}"],
      risk: "disruptive",
    },
  ],
};
