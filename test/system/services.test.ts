import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { statePaths } from "../../src/config/paths.ts";
import { VERSION } from "../../src/core/version.ts";
import { Ledger } from "../../src/diagnosis/remedies/ledger.ts";
import { ROOT, TestClawkit } from "../helpers/clawkit.ts";
import { TestClient } from "../helpers/clients.ts";
import { CommandLine } from "../helpers/command-line.ts";
import { exits, json } from "../helpers/results.ts";

const noSystemd = process.platform === "linux" && !existsSync("/run/systemd/system");

describe("services, upgrades, uninstall", { concurrency: 2, timeout: 120_000 }, () => {
  test("no service manager: says what to do instead, and writes nothing", { skip: !noSystemd }, async () => {
    await using line = await CommandLine.create();
    const { stderr } = await exits(1, line.clawkit("gateway", "install"));
    assert.match(stderr, /Cannot install a service: .*clawkit gateway run.*Nothing was written/s);
    const env = { container: "docker" };
    const inside = line.run(
      process.execPath,
      [join(ROOT, "src/bin/clawkit.ts"), "gateway", "install", "--json"],
      env,
    );
    const { error } = json<{ error: { code: string; message: string } }>(await exits(1, inside));
    assert.equal(error.code, "SERVICE_UNAVAILABLE");
    assert.match(error.message, /this is a container.*restart: unless-stopped/);
    assert.deepEqual(await readdir(line.home), []);
    assert.match((await exits(0, line.clawkit("gateway", "uninstall"))).stdout, /No service is installed/);
  });

  test("records of a newer ClawKit: restart --all refuses before anything is stopped", async () => {
    await using clawkit = await TestClawkit.run();
    const { recorder } = statePaths(clawkit.stateDir);
    const before = await clawkit.status();
    const client = new TestClient(clawkit.url);
    await client.opened;
    const store = new DatabaseSync(recorder);
    store.exec("PRAGMA busy_timeout = 5000; PRAGMA user_version = 99");
    store.close();
    assert.match(
      (await exits(78, clawkit.cli("gateway", "restart", "--all"))).stderr,
      /version 99.*update ClawKit/,
    );
    await clawkit.writeConfig({ gateway: { prot: 1 } });
    assert.match((await exits(78, clawkit.cli("gateway", "restart", "--all"))).stderr, /gateway\.prot/);
    const now = await clawkit.status();
    assert.deepEqual(
      [now.supervisor.pid, now.edge.pid, now.gateway.pid],
      [before.supervisor.pid, before.edge.pid, before.gateway.pid],
    );
    assert.equal(client.socket.readyState, client.socket.OPEN);
    client.socket.close();
  });

  test("after an upgrade: restart says that the supervisor is the old one, restart --all replaces it with 1012", async () => {
    const older = await mkdtemp(join(tmpdir(), "clawkit-older-"));
    await using clawkit = await TestClawkit.create();
    try {
      await cp(join(ROOT, "src"), join(older, "src"), { recursive: true });
      await symlink(join(ROOT, "node_modules"), join(older, "node_modules"));
      const manifest = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
      await writeFile(join(older, "package.json"), JSON.stringify({ ...manifest, version: "0.0.1" }));
      const entry = join(older, "src/bin/clawkit.ts");
      await exits(0, clawkit.spawnAndWait(process.execPath, [entry, "gateway", "start"]));
      assert.equal((await clawkit.status()).supervisor.version, "0.0.1");

      const { stdout } = await exits(0, clawkit.cli("gateway", "restart"));
      assert.match(stdout, /supervisor still is ClawKit 0\.0\.1: clawkit gateway restart --all/);
      const client = new TestClient(clawkit.url);
      await client.opened;
      await exits(0, clawkit.cli("gateway", "restart", "--all"));
      assert.equal((await client.ended).code, 1012);
      const { supervisor, state } = await clawkit.status();
      assert.deepEqual({ state, version: supervisor.version }, { state: "healthy", version: VERSION });
    } finally {
      await rm(older, { recursive: true, force: true });
    }
  });

  test("uninstall asks; takes alias and profile line back; deletes no folder that is not a state directory", async () => {
    await using line = await CommandLine.create();
    await writeFile(join(line.home, ".bashrc"), "alias ll='ls -l'\n");
    await exits(0, line.clawkit("alias", "on", "--yes"));
    assert.match(
      (await exits(2, line.clawkit("uninstall"))).stderr,
      /Nothing was done.*remove the openclaw alias/,
    );
    const { profile } = json<{ profile: string }>(
      await exits(0, line.clawkit("uninstall", "--yes", "--json")),
    );
    assert.equal(profile, join(line.home, ".bashrc"));
    assert.equal(await readFile(profile, "utf8"), "alias ll='ls -l'\n");

    await mkdir(line.paths.stateDir, { recursive: true });
    await writeFile(join(line.paths.stateDir, "thesis.txt"), "forty years of work");
    assert.match(
      (await exits(78, line.clawkit("uninstall", "--state", "--yes"))).stderr,
      /may be something else/,
    );
    assert.ok(existsSync(join(line.paths.stateDir, "thesis.txt")));
  });

  // CLAWKIT_STATE_DIR had been a folder that is used for more, a home: `rm -r` of it took the thesis with it.
  test("uninstall --state deletes what ClawKit wrote, by name, and names what is left", async () => {
    await using clawkit = await TestClawkit.run();
    process.kill((await clawkit.status()).gateway.pid!, "SIGKILL");
    await clawkit.untilStatus(({ state, gateway }) => state === "healthy" && gateway.generation === 2);
    const others = ["thesis/a.txt", "bin/openclaw", "logs/web.log", "run/notes", "recorder.db.txt"];
    for (const name of others) {
      await mkdir(dirname(join(clawkit.stateDir, name)), { recursive: true });
      await writeFile(join(clawkit.stateDir, name), "forty years of work");
    }
    const env = { HOME: clawkit.stateDir };
    const uninstall = () =>
      clawkit.spawnAndWait(
        process.execPath,
        [join(ROOT, "src/bin/clawkit.ts"), "uninstall", "--state", "--yes"],
        env,
      );
    const { stdout } = await exits(0, uninstall());
    const left = (await readdir(clawkit.stateDir, { recursive: true, withFileTypes: true })).filter((one) =>
      one.isFile(),
    );
    assert.deepEqual(
      left.map(({ parentPath, name }) => relative(clawkit.stateDir, join(parentPath, name))).sort(),
      others.sort(),
    );
    assert.match(stdout, /Left: .*\(bin, logs, recorder\.db\.txt, run, thesis\)/);
  });

  test("uninstall --state of a folder in which nothing else is: it is gone, whatever had happened", async () => {
    await using clawkit = await TestClawkit.run();
    process.kill((await clawkit.status()).gateway.pid!, "SIGKILL");
    await clawkit.untilStatus(({ state, gateway }) => state === "healthy" && gateway.generation === 2);
    await exits(0, clawkit.cli("alias", "on"));
    await exits(0, clawkit.cli("uninstall", "--state", "--yes"));
    assert.equal(existsSync(clawkit.stateDir), false);
  });

  // It held the only copies of files of other programs that repairs had changed.
  test("uninstall --state keeps what undoes repairs of other programs' files, and says so", async () => {
    await using line = await CommandLine.create("{}");
    const other = join(line.home, "openclaw.json");
    await writeFile(other, "before");
    const ledger = new Ledger(line.paths.stateDir, () => Date.now());
    const apply = () => writeFile(other, "after");
    await ledger.carryOut("mend", { what: "mend it", risk: "safe", files: [other], apply });
    const { stdout } = await exits(0, line.clawkit("uninstall", "--state", "--yes"));
    assert.match(stdout, /Left: .*\(repairs\): repairs has what undoes 1 .*clawkit doctor undo --list/);
    await exits(0, line.clawkit("doctor", "undo"));
    assert.equal(await readFile(other, "utf8"), "before");
  });
});
