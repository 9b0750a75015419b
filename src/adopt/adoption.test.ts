import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { NEW, OLD } from "../../test/fixtures/programs/repairs-texts.ts";
import { program } from "../../test/helpers/clawkit.ts";
import { Random } from "../../test/helpers/random.ts";
import { Ledger } from "../diagnosis/remedies/ledger.ts";
import { type Adoption, carryOut, findAdopted, refuseUnreadable, takeBack } from "./adoption.ts";
import { type FileChange, trustChange } from "./changes.ts";
import type { Installation } from "./installation.ts";

const OPENCLAW = `// mine\n{"gateway": {"auth": {"token": "t"}, "trustedProxies": ["10.0.0.1"]}}`;

async function setUp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "clawkit-adoption-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const configPath = join(folder, "openclaw.json");
  await writeFile(configPath, OPENCLAW);
  const gateway = { hasTls: false, hasIncludes: false, trustedProxies: ["10.0.0.1"], allowedOrigins: [] };
  const trust = trustChange({ configPath, configText: OPENCLAW } as Installation, gateway, {
    bind: "lan",
    repairRefusals: false,
  });
  const own = { path: join(folder, "config.json5"), before: undefined, after: "{ }\n", diff: [] };
  const adoption: Adoption = {
    own,
    lastValidConfig: join(folder, "last-valid"),
    trust,
    command: ["openclaw"],
    port: 18789,
    stop: async () => {},
    start: (handOver) => handOver(new AbortController().signal),
  };
  const ledger = new Ledger(join(folder, "state"), Date.now);
  return { folder, adoption, ledger, configPath, trust: trust as FileChange };
}

describe("an adoption", () => {
  test("is taken back byte for byte; what was not there is gone", async (t) => {
    const { adoption, ledger, configPath, trust } = await setUp(t);
    await carryOut(ledger, adoption);
    assert.equal(await readFile(configPath, "utf8"), trust.after);
    assert.match(trust.after, /\["10\.0\.0\.1","127\.0\.0\.1"\]/);
    await writeFile(adoption.lastValidConfig, "written by a start");
    const adopted = await findAdopted(ledger);
    assert.deepEqual([adopted?.command, adopted?.port, adopted?.wasRunning], [["openclaw"], 18789, true]);
    await takeBack(ledger, adopted!);
    assert.equal(await readFile(configPath, "utf8"), OPENCLAW);
    for (const path of [adoption.own.path, adoption.lastValidConfig])
      await assert.rejects(stat(path), { code: "ENOENT" });
    assert.equal(await findAdopted(ledger), undefined);
  });

  test("does not take back what was edited since: only its own address leaves the list", async (t) => {
    const { adoption, ledger, configPath, trust } = await setUp(t);
    await carryOut(ledger, adoption);
    await writeFile(configPath, trust.after.replace('"t"', '"another token"'));
    await takeBack(ledger, (await findAdopted(ledger))!);
    assert.equal(
      await readFile(configPath, "utf8"),
      OPENCLAW.replace('"t"', '"another token"'),
      "the token stays, the proxies are as before",
    );
  });

  test("is no repair that doctor undo takes: a gateway stands on it", async (t) => {
    const { adoption, ledger } = await setUp(t);
    await carryOut(ledger, adoption);
    await assert.rejects(ledger.undo(undefined), { code: "NOTHING_RECORDED" });
    const [entry] = await ledger.entries();
    await assert.rejects(ledger.undo(entry!.id), /clawkit adopt --undo/);
  });

  test("of a gateway that does not stop leaves its config, and the rest can be taken back", async (t) => {
    const { adoption, ledger, configPath } = await setUp(t);
    const stop = () => Promise.reject(new Error("it still works"));
    await assert.rejects(carryOut(ledger, { ...adoption, stop }), { message: "it still works" });
    assert.equal(await readFile(configPath, "utf8"), OPENCLAW);
    const adopted = await findAdopted(ledger);
    assert.deepEqual([adopted?.isInForce, adopted?.wasRunning], [false, true]);
    await takeBack(ledger, adopted!);
    await assert.rejects(stat(adoption.own.path), { code: "ENOENT" });
    assert.equal(await findAdopted(ledger), undefined);
  });

  test("is on record before the gateway is asked to stop: it may be killed while it waits", async (t) => {
    const { adoption, ledger } = await setUp(t);
    const stop = async () => {
      const adopted = await findAdopted(ledger);
      assert.deepEqual([adopted?.isInForce, adopted?.wasRunning], [false, true]);
    };
    await carryOut(ledger, { ...adoption, stop });
    assert.equal((await findAdopted(ledger))?.isInForce, true);
  });

  test("of a config that was edited while the gateway stopped fails, and is taken back without that edit", async (t) => {
    const { adoption, ledger, configPath } = await setUp(t);
    const stop = () => writeFile(configPath, "{ /* edited */ }");
    await assert.rejects(carryOut(ledger, { ...adoption, stop }), /was changed meanwhile/);
    await takeBack(ledger, (await findAdopted(ledger))!);
    assert.equal(await readFile(configPath, "utf8"), "{ /* edited */ }");
    await assert.rejects(stat(adoption.own.path), { code: "ENOENT" });
  });

  test("with a ClawKit that was set up since: its config is kept, and it is said how it comes back", async (t) => {
    const { adoption, ledger } = await setUp(t);
    await carryOut(ledger, adoption);
    await writeFile(adoption.own.path, "{ alerts: {} }");
    const done = await takeBack(ledger, (await findAdopted(ledger))!);
    const [, id] = /clawkit doctor undo (r-\S+)/.exec(done.join("\n")) ?? [];
    await ledger.undo(id);
    assert.equal(await readFile(adoption.own.path, "utf8"), "{ alerts: {} }");
  });

  test("of a list that was not there takes the list out again", async (t) => {
    const { adoption, ledger, configPath } = await setUp(t);
    const text = '{"gateway": {"port": 1}}';
    await writeFile(configPath, text);
    const gateway = { hasTls: false, hasIncludes: false, trustedProxies: [], allowedOrigins: [] };
    const found = { configPath, configText: text } as Installation;
    const trust = trustChange(found, gateway, { bind: "lan", repairRefusals: false })!;
    await carryOut(ledger, { ...adoption, trust });
    await writeFile(configPath, trust.after.replace("1", "2"));
    await takeBack(ledger, (await findAdopted(ledger))!);
    assert.deepEqual(JSON.parse(await readFile(configPath, "utf8")), { gateway: { port: 2 } });
  });

  test("with a config that cannot be read any more is refused before anything is stopped", async (t) => {
    const { adoption, ledger, configPath } = await setUp(t);
    await carryOut(ledger, adoption);
    await writeFile(configPath, "{ broken");
    const adopted = (await findAdopted(ledger))!;
    await assert.rejects(refuseUnreadable(adopted), { code: "CONFIG_UNPARSABLE" });
    await assert.rejects(takeBack(ledger, adopted), { code: "CONFIG_UNPARSABLE" });
    const again = await findAdopted(ledger);
    assert.deepEqual([again?.command, again?.wasRunning], [["openclaw"], true], "nothing of it is lost");
  });
});

test("a kill -9 in the middle leaves each file old or new, and both can be taken back (12 times)", async (t) => {
  const seed = Date.now();
  t.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  const left = { none: 0, some: 0, all: 0 };
  for (let i = 0; i < 12; i++) {
    const { folder, ledger } = await setUp(t);
    const [own, theirs] = [join(folder, "own"), join(folder, "theirs")];
    await writeFile(theirs, OLD, { mode: 0o640 });
    const [node, ...args] = program("adoption", join(folder, "state"), own, theirs);
    const child = spawn(node!, args, { stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(child, "exit");
    await once(child.stdout, "data");
    await new Promise((resolve) => setTimeout(resolve, random.below(40)));
    child.kill("SIGKILL");
    await exited;
    const [found, foundOwn] = [await readFile(theirs, "utf8"), await readFile(own, "utf8").catch(() => OLD)];
    for (const text of [found, foundOwn]) assert.ok(text === OLD || text === NEW, `${text.length} bytes`);
    assert.ok(found === OLD || foundOwn === NEW, "OpenClaw trusts nobody before there is an edge");
    left[found === NEW ? "all" : foundOwn === NEW ? "some" : "none"]++;
    const adopted = await findAdopted(ledger);
    if (adopted !== undefined) await takeBack(ledger, adopted);
    assert.ok((await readFile(theirs, "utf8")) === OLD);
    await assert.rejects(stat(own), { code: "ENOENT" });
  }
  t.diagnostic(`killed with nothing, one file, both files written: ${JSON.stringify(left)}`);
});
