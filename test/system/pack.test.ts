import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { cloneCheckout, findNode, freshEnv, REQUIRED_NODE } from "../helpers/checkout.ts";
import { type CommandResult, collect, freePort, ROOT } from "../helpers/clawkit.ts";
import { TestClient } from "../helpers/clients.ts";

const needsPosix = process.platform === "win32" ? "the paths are those of Linux and macOS" : false;
const olderNode = await findNode((major) => major < REQUIRED_NODE);

describe("the packed package", { skip: needsPosix }, () => {
  let folder: string;
  let ours: string;
  let other: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "clawkit-pack-"));
    ours = await packOurs();
    other = await packOther();
  });

  after(() => rm(folder, { recursive: true, force: true }));

  test("has the one bin name, and needs nothing that is not in it", async () => {
    const list = await run("tar", ["-tzf", ours]);
    const files = list.stdout.trim().split("\n");
    const playbooks = (await readdir(join(ROOT, "playbooks"))).sort();
    assert.deepEqual(
      files.filter((path) => !path.startsWith("package/dist/")).sort(),
      [
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "SECURITY.md",
        "package.json",
        ...playbooks.map((name) => `playbooks/${name}`),
      ].map((name) => `package/${name}`),
    );
    const { stdout } = await run("tar", ["-xzOf", ours, "package/package.json"]);
    const manifest = JSON.parse(stdout);
    assert.deepEqual(manifest.bin, { clawkit: "dist/clawkit.js" });
    for (const field of [
      "dependencies",
      "optionalDependencies",
      "peerDependencies",
      "devDependencies",
      "scripts",
    ]) {
      assert.equal(field in manifest, false, `the package has ${field}`);
    }
  });

  test("packing leaves the checkout's manifest as it was", async () => {
    const text = await readFile(join(folder, "checkout/package.json"), "utf8");
    assert.equal(text, await readFile(join(ROOT, "package.json"), "utf8"));
  });

  for (const [name, order] of [
    ["ours first", () => [ours, other]],
    ["ours second", () => [other, ours]],
  ] as const) {
    test(`installs beside a package that owns the bin openclaw: ${name}`, async () => {
      const prefix = await mkdtemp(join(folder, "global-"));
      for (const tarball of order()) await install(prefix, tarball);

      const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
      const clawkit = await run("clawkit", ["--version"], prefix);
      assert.deepEqual(clawkit, { code: 0, stdout: `${version}\n`, stderr: "" });
      const openclaw = await run("openclaw", ["--version"], prefix);
      assert.deepEqual(openclaw, { code: 0, stdout: "the other package\n", stderr: "" });
    });
  }

  test("starts, serves and stops", async () => {
    const prefix = await mkdtemp(join(folder, "global-"));
    await install(prefix, ours);
    const port = await freePort();
    const env = { CLAWKIT_STATE_DIR: join(prefix, "state"), CLAWKIT_GATEWAY_PORT: String(port) };
    const clawkit = (...args: string[]) => run("clawkit", args, prefix, env);
    try {
      const start = await clawkit("gateway", "start");
      assert.equal(start.code, 0, start.stderr);
      assert.match(start.stdout, new RegExp(`^The gateway is running at ws://127\\.0\\.0\\.1:${port} `));

      const client = new TestClient(`ws://127.0.0.1:${port}`);
      assert.match(await client.next(), /"connect\.challenge"/);
      client.socket.terminate();
      assert.equal((await clawkit("gateway", "status")).code, 0);
      assert.match((await clawkit("doctor")).stdout, /^Healthy: /);
      assert.match((await clawkit("playbook")).stdout, /^1006 {2}Gateway Closed \(1006\) Playbook$/m);
      assert.match((await clawkit("playbook", "1008")).stdout, /^# Client Refused \(1008\) Playbook$/m);

      const stop = await clawkit("gateway", "stop");
      assert.equal(stop.code, 0, stop.stderr);
      assert.equal((await clawkit("gateway", "status")).code, 3);
    } finally {
      await clawkit("gateway", "stop");
    }
  });

  test("has the client library as clawkit/client, of less than 6 KB", async (t) => {
    const { stdout: text } = await run("tar", ["-xzOf", ours, "package/dist/client/index.js"]);
    const { length } = gzipSync(text, { level: 9 });
    t.diagnostic(`${length} bytes, compressed`);
    assert.ok(length > 0 && length < 6 * 1024, `${length} bytes`);
    const types = await run("tar", ["-xzOf", ours, "package/dist/client/index.d.ts"]);
    assert.match(types.stdout, /\bClientSocket\b/);

    const prefix = await mkdtemp(join(folder, "global-"));
    await install(prefix, ours);
    const application = join(prefix, "lib/application.mjs");
    await writeFile(application, 'console.log(Object.keys(await import("clawkit/client")).sort().join());\n');
    const ran = await run(process.execPath, [application]);
    assert.deepEqual(ran, { code: 0, stdout: "ClientSocket,GapEvent\n", stderr: "" });
  });

  test("its alias answers to openclaw, unless a real one is installed", async () => {
    const prefix = await mkdtemp(join(folder, "global-"));
    await install(prefix, ours);
    const stateDir = join(prefix, "state");
    const env = { CLAWKIT_STATE_DIR: stateDir, CLAWKIT_GATEWAY_PORT: String(await freePort()) };
    const openclaw = (...args: string[]) =>
      run("sh", ["-c", `PATH="$PATH:${stateDir}/bin"; openclaw ${args.join(" ")}`], prefix, env);

    assert.equal((await run("clawkit", ["alias", "on"], prefix, env)).code, 0);
    const version = await openclaw("--version");
    assert.equal(version.code, 0, version.stderr);
    assert.match(version.stdout, /ClawKit/);
    const status = await openclaw("gateway", "status");
    assert.equal(status.code, 3, status.stderr);

    await install(prefix, other);
    assert.equal((await openclaw("--version")).stdout, "the other package\n");
  });

  test("on an older Node it says in a sentence what to do", {
    skip: olderNode === undefined ? `there is no Node older than ${REQUIRED_NODE} here` : false,
  }, async () => {
    const prefix = await mkdtemp(join(folder, "global-"));
    await install(prefix, ours);
    const bin = join(prefix, "bin/clawkit");
    const { code, stdout, stderr } = await run(olderNode!.path, [bin, "--version"]);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /^ClawKit needs Node 24 or newer and this is Node \d+\.\d+\.\d+: .*\n$/);
  });

  /** Runs a program found on PATH, the global bin folder of `prefix` first. */
  function run(
    command: string,
    args: readonly string[],
    prefix = folder,
    env: NodeJS.ProcessEnv = {},
  ): Promise<CommandResult> {
    const fresh = freshEnv(folder, join(prefix, "bin"), dirname(process.execPath));
    const child = spawn(command, args, {
      cwd: folder,
      env: { ...fresh, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return collect(child);
  }

  /** Offline: what is in the tarball is all it needs. */
  async function install(prefix: string, tarball: string): Promise<void> {
    const { code, stderr } = await run("npm", ["install", "--offline", "-g", "--prefix", prefix, tarball]);
    assert.equal(code, 0, stderr);
  }

  async function packOurs(): Promise<string> {
    const checkout = join(folder, "checkout");
    await cloneCheckout(checkout);
    await symlink(join(ROOT, "node_modules"), join(checkout, "node_modules"));
    return await pack(checkout);
  }

  /** A package as the real openclaw is one: it owns the name. */
  async function packOther(): Promise<string> {
    const source = join(folder, "other");
    await mkdir(source);
    const manifest = { name: "openclaw", version: "0.0.1", bin: { openclaw: "cli.js" } };
    await writeFile(join(source, "package.json"), JSON.stringify(manifest));
    await writeFile(join(source, "cli.js"), '#!/usr/bin/env node\nconsole.log("the other package");\n');
    await chmod(join(source, "cli.js"), 0o755);
    return await pack(source);
  }

  async function pack(source: string): Promise<string> {
    const { code, stdout, stderr } = await run("npm", [
      "pack",
      "--json",
      "--pack-destination",
      folder,
      source,
    ]);
    assert.equal(code, 0, stderr);
    const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf("[\n")));
    return join(folder, filename);
  }
});
