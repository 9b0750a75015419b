import { execFile } from "node:child_process";
import { cp, mkdir, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "./clawkit.ts";

/** The major version of Node that the project needs. */
export const REQUIRED_NODE = 24;

const run = promisify(execFile);

/** A fresh clone of this checkout, with what is not committed yet on top. Nothing that git ignores is in it. */
export async function cloneCheckout(into: string): Promise<void> {
  await git("clone", "--quiet", ROOT, into);
  const changed = await git("diff", "--name-only", "--no-renames", "-z", "HEAD");
  const added = await git("ls-files", "--others", "--exclude-standard", "-z");
  for (const path of `${changed}${added}`.split("\0").filter(Boolean)) {
    await rm(join(into, path), { force: true });
    await mkdir(dirname(join(into, path)), { recursive: true });
    await cp(join(ROOT, path), join(into, path), { verbatimSymlinks: true }).catch((error) => {
      if (error.code !== "ENOENT") throw error; // it is deleted here
    });
  }
}

async function git(...args: string[]): Promise<string> {
  const { stdout } = await run("git", args, { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

/**
 * The environment of a person at a shell: `folders` come first in PATH, home is `home`, and nothing of what npm and
 * the test runner put there is left. npm keeps its cache and its user's settings: how a registry is reached.
 */
export function freshEnv(home: string, ...folders: string[]): NodeJS.ProcessEnv {
  const added = /^(npm_|NODE_OPTIONS$|NODE_TEST_CONTEXT$|NODE_V8_COVERAGE$|INIT_CWD$|CLAWKIT_|OPENCLAW_)/i;
  const kept = Object.entries(process.env).filter(([name]) => !added.test(name));
  const path = process.env.PATH!.split(delimiter).filter((folder) => !folder.includes("node_modules"));
  return {
    ...Object.fromEntries(kept),
    PATH: [...folders, ...path].join(delimiter),
    HOME: home,
    NO_COLOR: "1",
    npm_config_cache: process.env.npm_config_cache ?? join(homedir(), ".npm"),
    npm_config_userconfig: process.env.npm_config_userconfig ?? join(homedir(), ".npmrc"),
    // npm looks for it beside the Node it runs on, which is another one here
    ...(process.env.npm_config_globalconfig === undefined
      ? {}
      : { npm_config_globalconfig: process.env.npm_config_globalconfig }),
    npm_config_update_notifier: "false",
  };
}

/** A Node on this machine, by its version. */
export async function findNode(
  suits: (major: number) => boolean,
): Promise<{ path: string; version: string } | undefined> {
  const folders = [...process.env.PATH!.split(delimiter), "/usr/bin", "/usr/local/bin"];
  for (const folder of folders) {
    const path = join(folder, "node");
    const version = await run(path, ["--version"]).then(
      ({ stdout }) => stdout.trim().slice(1),
      () => undefined,
    );
    if (version !== undefined && suits(Number(version.split(".")[0]))) return { path, version };
  }
  return undefined;
}
