import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GATEWAY_IMAGE } from "../containers/images.ts";
import { freePort, ROOT, until } from "../helpers/clawkit.ts";
import { ask } from "../helpers/http.ts";
import { Lab, plainEnvironment } from "./lab.ts";

/** A gateway of upstream's shape: its image runs `node dist/index.js` in /app. */
export const UPSTREAM = join(ROOT, "test/fixtures/programs/upstream-gateway.mjs");

/** A container starts in a second, on a busy machine in more. */
const READY_MS = 60_000;

/** A machine with a Docker Engine: what is made here has names of its own, and is removed by id. */
export class DockerLab extends Lab {
  readonly home: string;
  readonly port: number;
  /** In front of all names. */
  readonly mark = `clawkit-lab-${randomBytes(4).toString("hex")}`;

  private constructor(home: string, port: number) {
    super();
    this.home = home;
    this.port = port;
  }

  static async create(): Promise<DockerLab> {
    const lab = new DockerLab(await mkdtemp(join(tmpdir(), "clawkit-docker-")), await freePort());
    lab.defer(() => rm(lab.home, { recursive: true, force: true }));
    return lab;
  }

  /** Also where a person says which port is meant. */
  get env(): Record<string, string> {
    const own = { HOME: this.home, CLAWKIT_STATE_DIR: join(this.home, "clawkit") };
    const engine = { DOCKER_HOST: process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock" };
    return { ...plainEnvironment(), ...own, ...engine, OPENCLAW_GATEWAY_PORT: String(this.port) };
  }

  /** Runs `docker` to its end; resolves with what it printed. Throws if it fails. */
  async docker(...args: string[]): Promise<string> {
    return await this.command("docker", ...args);
  }

  /** `docker run -d` with these options; resolves with the container's id. */
  async run(options: readonly string[], image: string, ...command: string[]): Promise<string> {
    return await this.docker("run", "-d", "--name", this.mark, ...options, image, ...command);
  }

  /** A real gateway in a container, published at the lab's port; resolves when it answers. */
  async runGateway(options: readonly string[] = [], ...command: string[]): Promise<string> {
    const id = await this.run(["-p", `${this.port}:18789`, ...options], GATEWAY_IMAGE, ...command);
    await this.untilServed();
    return id;
  }

  /** A folder with upstream's compose file, as these parts of its services make it; it is started. */
  async composeUp(
    text: string,
    ...services: string[]
  ): Promise<{ readonly file: string; readonly id: string }> {
    const folder = join(this.home, this.mark);
    const file = join(folder, "docker-compose.yml");
    await mkdir(folder);
    await writeFile(file, text);
    await this.compose(file, "up", "-d", ...services);
    return { file, id: await this.idOf(file, "openclaw-gateway") };
  }

  /** The container of a service, also of one that does not run. */
  async idOf(file: string, service: string): Promise<string> {
    return await this.compose(file, "ps", "-a", "-q", service);
  }

  async compose(file: string, ...args: string[]): Promise<string> {
    return await this.command("docker-compose", "-p", this.mark, "-f", file, ...args);
  }

  /** A service of upstream's shape, whose gateway listens where it is told. */
  upstreamGateway(bind: string, lines: readonly string[] = []): string {
    const service = [
      "  # the gateway itself",
      "  openclaw-gateway:",
      `    image: ${GATEWAY_IMAGE}   # upstream's is ghcr.io/openclaw/openclaw`,
      `    container_name: ${this.mark}`,
      "    working_dir: /app",
      "    volumes:",
      `      - ${UPSTREAM}:/app/dist/index.js:ro`,
      `    command: ["node", "dist/index.js", "gateway", "--bind", "${bind}", "--port", "${this.port}"]`,
      "    healthcheck: { disable: true }   # the image's asks for ours",
      "    stop_grace_period: 1s",
      ...lines.map((line) => `    ${line}`),
    ];
    return `version: "3.8"\nservices:\n${service.join("\n")}\n`;
  }

  async untilServed(): Promise<void> {
    await until(async () => {
      const answer = await ask(this.port, "/healthz").catch(() => undefined);
      return answer?.status === 200 || undefined;
    }, READY_MS);
  }

  /** Waits until a container has printed this. */
  async untilLogged(id: string, words: string): Promise<void> {
    await until(async () => {
      const { stdout, stderr } = await this.output(["docker", "logs", id]);
      return `${stdout}${stderr}`.includes(words) || undefined;
    });
  }

  /** Waits until the engine says so: `exited`, `unhealthy`. */
  async untilState(id: string, format: string, wanted: string): Promise<void> {
    await until(async () => (await this.docker("inspect", `--format=${format}`, id)) === wanted || undefined);
  }

  /** Those of this lab, and of its compose project, by id. */
  protected override async endProcesses(): Promise<void> {
    for (const filter of [`name=^/${this.mark}`, `label=com.docker.compose.project=${this.mark}`]) {
      const ids = await this.docker("ps", "-aq", "--no-trunc", "--filter", filter);
      if (ids !== "") await this.docker("rm", "-f", "-v", ...ids.split("\n"));
    }
    const networks = await this.docker("network", "ls", "-q", "--filter", `name=^${this.mark}`);
    if (networks !== "") await this.docker("network", "rm", ...networks.split("\n"));
  }

  private async command(...command: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.output(command);
    if (code !== 0) throw new Error(`${command.join(" ")} exited with ${code}: ${stderr}${stdout}`);
    return stdout.trim();
  }
}

/** Why no container can be made here; false if one can, and where it has to be possible (CI), so that it fails. */
export function whyNoDocker(): string | false {
  if (process.env.CI) return false;
  try {
    const images = execFileSync("docker", ["image", "inspect", "--format={{.Id}}", GATEWAY_IMAGE]);
    return images.length > 0 ? false : "there is no image of the gateway";
  } catch {
    return "no Docker Engine answers, or it has no image of the gateway (test/containers/images.ts makes it)";
  }
}
