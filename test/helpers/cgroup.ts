import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { rmdir } from "node:fs/promises";
import { join } from "node:path";
import { until } from "./clawkit.ts";

const ROOT = "/sys/fs/cgroup";

/** v1 has a hierarchy of its own for memory; v2 has one for all controllers. */
const IS_V1 = existsSync(join(ROOT, "memory/memory.limit_in_bytes"));
const HIERARCHY = IS_V1 ? join(ROOT, "memory") : ROOT;

let made = 0;

/** Why no memory can be limited here; false if it can. In CI it must work. */
export function whyNoCgroups(): string | false {
  if (process.platform !== "linux") return "cgroups are Linux's";
  if (process.getuid?.() !== 0) return "cgroups need root";
  try {
    rmdirSync(new TestCgroup(2 ** 24).path);
    return false;
  } catch (error) {
    return `no cgroup can be made here: ${error}`;
  }
}

/** A group of processes that may use `limitBytes` of memory together. Below the root: no other limit is around it. */
export class TestCgroup implements AsyncDisposable {
  readonly path: string;

  constructor(limitBytes: number) {
    if (!IS_V1) writeFileSync(join(HIERARCHY, "cgroup.subtree_control"), "+memory");
    this.path = join(HIERARCHY, `clawkit-test-${process.pid}-${++made}`);
    mkdirSync(this.path);
    this.limit(limitBytes);
    // absent without swap
    if (existsSync(join(this.path, "memory.swap.max")))
      writeFileSync(join(this.path, "memory.swap.max"), "0");
  }

  limit(bytes: number): void {
    writeFileSync(join(this.path, IS_V1 ? "memory.limit_in_bytes" : "memory.max"), String(bytes));
  }

  /** From now on this process, and all it starts, are limited. */
  take(pid: number): void {
    writeFileSync(join(this.path, "cgroup.procs"), String(pid));
  }

  /** A group can be removed once the last process in it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    await until(() =>
      rmdir(this.path).then(
        () => true,
        () => undefined,
      ),
    );
  }
}
