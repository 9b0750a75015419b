import assert from "node:assert/strict";
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { TestClawkit } from "../helpers/clawkit.ts";
import { CommandLine } from "../helpers/command-line.ts";
import { exits, json } from "../helpers/results.ts";

interface Hardened {
  readonly schemaVersion: number;
  readonly ok: boolean;
  readonly advice: readonly {
    readonly id: string;
    readonly state: "ok" | "change" | "yours";
    readonly reason: string;
    readonly diff?: readonly string[];
    readonly risk?: string;
    readonly outcome?: string;
    readonly helped?: boolean;
    readonly undo?: string;
  }[];
}

const TOKEN = "a-token-of-more-than-22-characters";

/** What a careless person has: pings off, a file that others can read. */
const CARELESS = `{
  // ours
  gateway: { keepalive: { enabled: false }, auth: { mode: "token", token: "${TOKEN}" } },
}
`;

describe("clawkit harden", { concurrency: 2 }, () => {
  test("says what to change, why, and the exact change; and changes nothing", async () => {
    await using line = await CommandLine.create(CARELESS);
    const result = json<Hardened>(await exits(1, line.clawkit("harden", "--json")));
    const keepalive = result.advice.find(({ id }) => id === "keepalive")!;
    assert.equal(keepalive.state, "change");
    assert.match(keepalive.reason, /30 to 120 s/);
    assert.match(keepalive.diff!.join("\n"), /^~ gateway\.keepalive\.enabled: false → true$/m);
    assert.equal(await line.readConfig(), CARELESS);
  });

  test("--apply makes each change, and each can be undone byte for byte", async () => {
    await using line = await CommandLine.create(CARELESS);
    await chmod(line.paths.config, 0o644);
    const applied = json<Hardened>(await exits(0, line.clawkit("harden", "--apply", "--json")));
    const undos = applied.advice.flatMap(({ undo }) => (undo === undefined ? [] : [undo]));
    assert.equal(undos.length, 3); // pings, the restart before memory runs out, the file's mode
    assert.match(await line.readConfig(), /\/\/ ours\n.*enabled: true/);
    assert.equal((await stat(line.paths.config)).mode & 0o777, 0o600);
    await exits(0, line.clawkit("harden"));

    for (const undo of undos.reverse()) await exits(0, line.clawkit("doctor", "undo", undo));

    assert.equal(await line.readConfig(), CARELESS);
    assert.equal((await stat(line.paths.config)).mode & 0o777, 0o644);
  });

  // The heap's limit was "undone" while the gateway that ran kept it, and nobody was told.
  test("an undo says what has to be restarted for it", async () => {
    await using clawkit = await TestClawkit.run();
    const { advice } = json<Hardened>(await exits(0, clawkit.cli("harden", "--apply", "--json")));
    const id = advice.findLast(({ undo }) => undo !== undefined)!.undo!;
    const { stdout } = await exits(0, clawkit.cli("doctor", "undo", id));
    assert.match(stdout, /The gateway that runs still has what was undone.*clawkit gateway restart --all/);
  });

  test("no token in what it prints", async () => {
    await using line = await CommandLine.create(
      CARELESS.replace("gateway: {", "gateway: { hold: { maxSec: 0 },"),
    );
    for (const args of [["harden"], ["harden", "--json"]]) {
      const { stdout, stderr } = await exits(1, line.clawkit(...args));
      assert.doesNotMatch(stdout + stderr, new RegExp(TOKEN));
    }
  });

  test("beside a real OpenClaw it says that there is no key for pings, and changes nothing of it unasked", async () => {
    await using line = await CommandLine.create();
    const folder = join(line.home, ".openclaw");
    const path = join(folder, "openclaw.json");
    const config = '{"gateway":{"auth":{"mode":"none"}}}';
    await mkdir(folder, { mode: 0o700 });
    await writeFile(path, config, { mode: 0o644 });
    await chmod(path, 0o644);
    const { stdout } = await exits(1, line.clawkit("harden", "--apply"));
    assert.match(stdout, /pings .*: no such key/);
    assert.match(stdout, /not done \(disruptive: give --yes to allow it\)/);
    assert.equal(await readFile(path, "utf8"), config);
    assert.equal((await stat(path)).mode & 0o777, 0o644);
  });

  test("--apply --yes gives a gateway without authentication a token, shows it to nobody, and undo takes it back", async () => {
    await using line = await CommandLine.create('{ gateway: { auth: { mode: "none" } } }\n');
    const before = await line.readConfig();
    const { stdout, stderr } = await exits(0, line.clawkit("harden", "--apply", "--yes", "--json"));
    const [auth] = (JSON.parse(stdout) as Hardened).advice.filter(({ id }) => id === "auth");
    assert.deepEqual([auth?.risk, auth?.outcome, auth?.helped], ["disruptive", "applied", true]);
    const [, token] = /token: "([\w-]{43})"/.exec(await line.readConfig())!;
    assert.ok(!(stdout + stderr).includes(token!));
    await exits(0, line.clawkit("config", "validate"));
    const { stdout: list } = await exits(0, line.clawkit("doctor", "undo", "--list"));
    assert.match(list, /done, it helped/);
    assert.ok(!list.includes(token!));
    for (const { undo } of (JSON.parse(stdout) as Hardened).advice.toReversed()) {
      if (undo !== undefined) await exits(0, line.clawkit("doctor", "undo", undo));
    }
    assert.equal(await line.readConfig(), before);
  });

  test("with a config that is invalid exits with 1, with --json too", async () => {
    await using line = await CommandLine.create("{ gateway: { prot: 1 } }");
    assert.match((await exits(1, line.clawkit("harden"))).stdout, /gateway\.prot.*clawkit config validate/s);
    assert.equal(json<Hardened>(await exits(1, line.clawkit("harden", "--json"))).ok, false);
  });

  test("with no gateway here it says how to have one", async () => {
    await using line = await CommandLine.create();
    const { stdout } = await exits(1, line.clawkit("harden"));
    assert.match(stdout, /clawkit gateway start/);
    // the text said 1, and --json on the same machine ok: true and 0
    const { schemaVersion, ok } = json<Hardened>(await exits(1, line.clawkit("harden", "--json")));
    assert.deepEqual([schemaVersion, ok], [1, false]);
  });
});
