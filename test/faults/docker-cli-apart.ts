import { GATEWAY_IMAGE } from "../containers/images.ts";
import { type DockerLab, UPSTREAM, whyNoDocker } from "./docker-lab.ts";
import type { DockerFault } from "./fault.ts";

export const fault: DockerFault = {
  id: "docker-cli-apart",
  title: "the CLI's container has a network of its own",
  on: "docker",
  expected: ["docker-cli-wrong-netns"],
  isFixable: true,
  needs: whyNoDocker,
  async break(lab) {
    const { file } = await lab.composeUp(withCli(lab));
    await lab.untilServed();
    await lab.untilLogged(await lab.idOf(file, "openclaw-cli"), "ECONNREFUSED");
  },
};

/** Upstream's two services, as they were before the CLI shared the gateway's network. */
export function withCli(lab: DockerLab): string {
  const gateway = lab.upstreamGateway("lan", ["ports:", `  - "127.0.0.1:${lab.port}:${lab.port}"`]);
  const cli = [
    "  openclaw-cli:",
    `    image: ${GATEWAY_IMAGE}`,
    "    working_dir: /app",
    `    volumes: ["${UPSTREAM}:/app/dist/index.js:ro"]`,
    "    healthcheck: { disable: true }",
    "    stop_grace_period: 1s",
    `    command: ["node", "dist/index.js", "health", "--port", "${lab.port}"]`,
  ];
  return `${gateway}${cli.join("\n")}\n`;
}
