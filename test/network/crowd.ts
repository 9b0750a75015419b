import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "../helpers/clawkit.ts";
import type { CrowdSeen } from "./idle-crowd.ts";

/** Idle clients on one host of the lab. */
export class Crowd implements Disposable {
  seen: CrowdSeen = { open: 0, pings: 0, drops: 0 };
  readonly #child: ChildProcess;

  constructor(onClient: readonly string[], url: string, number: number, patienceSec: number) {
    const script = join(ROOT, "test/network/idle-crowd.ts");
    const [program, ...args] = [...onClient, process.execPath, script, url, `${number}`, `${patienceSec}`];
    this.#child = spawn(program!, args, { stdio: ["ignore", "pipe", "inherit"] });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.seen = JSON.parse(line) as CrowdSeen;
    });
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}
