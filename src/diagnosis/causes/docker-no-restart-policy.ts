import type { Cause } from "../types.ts";
import { ends } from "./ends.ts";

export const dockerNoRestartPolicy: Cause = {
  id: "docker-no-restart-policy",
  title: "The gateway's container ended, and its restart policy does not bring it back",
  confirmedBy: [["container-ended-itself", "container-no-restart-policy"]],
  // without the engine's events it may have been stopped on purpose
  likelyIf: [["container-ended", "container-no-restart-policy"]],
  because: ends.filter((id) => !["unexplained-exit", "clean-exit", "killed-by-signal"].includes(id)),
  seen: 1,
  remedies: [
    {
      text: "Give it a restart policy, in its compose file too, and start it. Docker keeps to it after any end but `docker stop` and `docker kill`.",
      commands: ["docker update --restart unless-stopped {container}", "docker start {container}"],
      risk: "safe",
    },
  ],
};
