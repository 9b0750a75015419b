import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, symlink } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { OpenclawFault } from "./fault.ts";
import { openclawEntry } from "./openclaw-install.ts";
import { whyNoOpenclaw } from "./openclaw-lab.ts";

/** Where a distribution puts its Node. */
const SYSTEM_NODE = "/usr/bin/node";

/** 2026.9.6 needs 24.16. */
const FIRST_NEW_ENOUGH = 24;

export const fault: OpenclawFault = {
  id: "openclaw-old-node",
  title: "the PATH's first Node is too old for OpenClaw, which refuses to run with it",
  on: "openclaw",
  expected: ["broken-install"],
  isFixable: false,
  needs: () => whyNoOpenclaw() || whyNoOldNode(),
  async break(lab) {
    const bin = join(lab.home, "old", "bin");
    await mkdir(bin, { recursive: true });
    await symlink(SYSTEM_NODE, join(bin, "node"));
    await symlink(openclawEntry(), join(bin, "openclaw"));
    const env = { PATH: [bin, "/usr/bin", "/bin"].join(delimiter) };
    const gateway = lab.spawn([join(bin, "openclaw"), "gateway", "run"], { env });
    const [code] = (await once(gateway, "exit", { signal: AbortSignal.timeout(60_000) })) as [number | null];
    if (code === 0) throw new Error("it ran with a Node that is too old for it");
    return { env };
  },
};

function whyNoOldNode(): string | false {
  try {
    const version = execFileSync(SYSTEM_NODE, ["--version"], { encoding: "utf8" });
    const major = Number(/^v(\d+)/.exec(version)?.[1]);
    return major < FIRST_NEW_ENOUGH ? false : `${SYSTEM_NODE} is new enough (${version.trim()})`;
  } catch {
    return `there is no ${SYSTEM_NODE}`;
  }
}
