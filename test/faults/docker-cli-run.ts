import { withCli } from "./docker-cli-apart.ts";
import { whyNoDocker } from "./docker-lab.ts";
import type { DockerFault } from "./fault.ts";

export const fault: DockerFault = {
  id: "docker-cli-run",
  title: "docker compose run of the CLI, which has a network of its own",
  on: "docker",
  expected: ["docker-cli-wrong-netns"],
  isFixable: true,
  needs: whyNoDocker,
  async break(lab) {
    const { file } = await lab.composeUp(withCli(lab), "openclaw-gateway");
    await lab.untilServed();
    const command = ["node", "dist/index.js", "health", "--port", String(lab.port), "--once"];
    const id = await lab.compose(file, "run", "-d", "--no-deps", "openclaw-cli", ...command);
    await lab.untilState(id.split("\n").at(-1)!, "{{.State.Status}}", "exited");
  },
};
