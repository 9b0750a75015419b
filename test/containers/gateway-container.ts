import type { Status } from "../../src/core/control.ts";
import { until } from "../helpers/clawkit.ts";
import { docker } from "./engine.ts";

/** A container of our image, by its name or id. */
export class GatewayContainer {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }

  /** Runs a shell line in it. */
  sh(line: string): Promise<string> {
    return docker("exec", this.id, "sh", "-c", line);
  }

  inspect(format: string): Promise<string> {
    return docker("inspect", `--format=${format}`, this.id);
  }

  async status(): Promise<Status> {
    return JSON.parse(await this.sh("clawkit gateway status --json || true")) as Status;
  }

  /** Resolves with the state of Docker's own look at it, once it is this. */
  async untilHealth(wanted: "healthy" | "unhealthy"): Promise<void> {
    await until(async () => (await this.inspect("{{.State.Health.Status}}")) === wanted || undefined, 60_000);
  }

  /** The token that its first start made. */
  async token(): Promise<string> {
    const config = await this.sh("cat ~/.clawkit/config.json5");
    return /token: "([\w-]{43})"/.exec(config)![1]!;
  }
}
