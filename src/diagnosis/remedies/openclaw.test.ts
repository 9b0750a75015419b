import assert from "node:assert/strict";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import {
  actionsWith,
  examinationOf,
  fact,
  hostWith,
  machineWith,
  processWith,
} from "../../../test/helpers/machine.ts";
import { statePaths } from "../../config/paths.ts";
import { localTarget } from "../target.ts";
import type { Fact } from "../types.ts";
import { Ledger } from "./ledger.ts";
import {
  moveStaleLock,
  removeUnknownKey,
  restoreOpenClawConfig,
  setOpenClawMode,
  startOpenClaw,
} from "./openclaw.ts";
import type { Actions, Repair } from "./types.ts";

const GOOD = '{ gateway: { mode: "local", auth: { mode: "token", token: "abcdefgh12345678" } } }\n';

/** A home with an OpenClaw config, and what a repair would do there. */
async function home(t: TestContext, text?: string) {
  const folder = await mkdtemp(join(tmpdir(), "clawkit-openclaw-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const dir = join(folder, ".openclaw");
  await mkdir(dir);
  const config = join(dir, "openclaw.json");
  if (text !== undefined) await writeFile(config, text, { mode: 0o600 });
  const paths = statePaths(join(folder, ".clawkit"));
  const ledger = new Ledger(paths.stateDir, () => Date.now());
  const read = () => readFile(config, "utf8");
  const plan = async (
    repair: Repair,
    facts: readonly (Fact | string)[],
    changes: Parameters<typeof machineWith>[0] & { actions?: Partial<Actions> } = {},
  ) => {
    const { actions, ...rest } = changes;
    const machine = machineWith({ openclawDirs: [dir], openclawConfigPath: config, paths, ...rest });
    return await repair.plan({
      machine,
      examination: await examinationOf(...facts),
      actions: actionsWith(actions),
    });
  };
  return { folder, dir, config, ledger, read, plan };
}

describe("setting the mode", () => {
  const text = "// mine\n{\n  gateway: {\n    port: 28789, // as always\n  },\n}\n";

  test("says what changes, keeps comments, and is taken back byte for byte", async (t) => {
    const { config, ledger, read, plan } = await home(t, text);
    await chmod(config, 0o644);
    const found = (await plan(setOpenClawMode, ["openclaw-mode-unset"]))!;
    assert.deepEqual(
      [found.what, found.risk, found.diff],
      [`set gateway.mode to "local" in ${config}`, "disruptive", ['+ gateway.mode: "local"']],
    );
    await ledger.carryOut("set-openclaw-mode", found);
    assert.equal(await read(), text.replace("always\n", 'always\n    mode: "local",\n'));
    await ledger.undo(undefined);
    assert.equal(await read(), text);
    assert.equal((await lstat(config)).mode & 0o777, 0o644);
  });

  // people keep their config in a folder of dotfiles
  test("leaves a symbolic link a link", async (t) => {
    const { folder, config, ledger, read, plan } = await home(t, text);
    const real = join(folder, "dotfiles.json");
    await rename(config, real);
    await symlink(real, config);
    await ledger.carryOut("set-openclaw-mode", (await plan(setOpenClawMode, ["openclaw-mode-unset"]))!);
    assert.match(await readFile(real, "utf8"), /mode: "local"/);
    await ledger.undo(undefined);
    assert.equal(await read(), text);
    assert.ok((await lstat(config)).isSymbolicLink());
  });

  test("is not thought of where it is set", async (t) => {
    const { plan } = await home(t, GOOD);
    assert.equal(await plan(setOpenClawMode, ["port-free"]), undefined);
  });
});

describe("removing a key that was rejected", () => {
  const rejected = (detail: string) => [fact("config-key-said", { detail })];

  test("says what changes, keeps comments, and is taken back byte for byte", async (t) => {
    const text = '{\n  // mine\n  gateway: {\n    mode: "local", // here\n    bogus: { a: 1 },\n  },\n}\n';
    const { config, ledger, read, plan } = await home(t, text);
    // as OpenClaw 2026.9.6 says it
    const found = (await plan(
      removeUnknownKey,
      rejected('openclaw.json:1 — gateway: Unrecognized key: "bogus"'),
    ))!;
    assert.deepEqual(
      [found.what, found.risk, found.diff],
      [`remove gateway.bogus from ${config}`, "disruptive", ["- gateway.bogus.a"]],
    );
    await ledger.carryOut("remove-unknown-key", found);
    assert.equal(await read(), text.replace("    bogus: { a: 1 },\n", ""));
    await ledger.undo(undefined);
    assert.equal(await read(), text);
  });

  test("takes out several, also at the top", async (t) => {
    const { plan, read } = await home(t, '{ a: 1, gateway: { mode: "local" }, b: 2 }');
    const found = await plan(removeUnknownKey, rejected('<root>: Unrecognized keys: "a", "b"'));
    await found?.apply();
    assert.equal(await read(), '{ gateway: { mode: "local" } }');
  });

  for (const [what, detail, text] of [
    ["a key that is not there any more", 'gateway: Unrecognized key: "bogus"', GOOD],
    ["no key", "gateway.port: Expected number, received string", GOOD],
    ["a key of a config that is gone", 'gateway: Unrecognized key: "bogus"', undefined],
  ] as const) {
    test(`is not thought of for ${what}`, async (t) => {
      assert.equal(await (await home(t, text)).plan(removeUnknownKey, rejected(detail)), undefined);
    });
  }
});

describe("restoring a copy of OpenClaw's config", () => {
  const broken = GOOD.slice(0, 40);

  test("takes the newest copy that is well, and is taken back byte for byte", async (t) => {
    const { config, ledger, read, plan } = await home(t, broken);
    await writeFile(`${config}.bak`, broken);
    await writeFile(`${config}.last-good`, "{ gateway: {} }");
    await writeFile(`${config}.bak.1`, GOOD.replace("abcdefgh12345678", "__OPENCLAW_REDACTED__"));
    await writeFile(`${config}.bak.2`, GOOD);
    await writeFile(`${config}.bak.3`, GOOD.replace("local", "remote"));
    const found = (await plan(restoreOpenClawConfig, ["openclaw-config-broken"]))!;
    assert.deepEqual(
      [found.what, found.risk],
      [`restore ${config} from its copy ${config}.bak.2`, "disruptive"],
    );
    await ledger.carryOut("restore-openclaw-config", found);
    assert.equal(await read(), GOOD);
    await ledger.undo(undefined);
    assert.equal(await read(), broken);
  });

  test("shows no secret", async (t) => {
    const { config, plan } = await home(t, broken);
    await writeFile(`${config}.bak`, GOOD);
    const found = (await plan(restoreOpenClawConfig, ["openclaw-config-broken"]))!;
    assert.doesNotMatch(found.diff!.join("\n"), /abcdefgh12345678/);
  });

  test("is not thought of without a copy that is well, or if the config is", async (t) => {
    const { config, plan } = await home(t, broken);
    assert.equal(await plan(restoreOpenClawConfig, ["openclaw-config-broken"]), undefined);
    await writeFile(`${config}.bak`, GOOD);
    assert.equal(await plan(restoreOpenClawConfig, ["port-free"]), undefined);
  });
});

describe("moving a stale lock aside", () => {
  const facts = ["lock-of-another", "port-free"];

  /** Three locks in OpenClaw's folder and one beside it; pids 1 and 3 are processes now. */
  async function withLocks(t: TestContext, now = processWith({ pid: 1, startTime: "2" })) {
    const set = await home(t, GOOD);
    const lock = (folder: string, name: string, pid: number, startTime: string) => {
      return { path: join(folder, name), pid, startTime, createdAt: undefined, port: undefined };
    };
    const locks = [
      lock(set.dir, "other", 1, "1"),
      lock(set.dir, "gone", 2, "1"),
      lock(set.dir, "held", 3, "1"),
      lock(set.folder, "beside", 1, "1"),
    ];
    for (const { path } of locks) await writeFile(path, path);
    const changes = {
      host: hostWith({ process: async () => now }),
      processes: async () => [
        processWith({ pid: 1, startTime: "2" }),
        processWith({ pid: 3, startTime: "1" }),
      ],
      openclawLocks: async () => locks,
    };
    const names = async () =>
      [...(await readdir(set.dir)), ...(await readdir(set.folder))]
        .filter((name) => /^(other|gone|held|beside)/.test(name))
        .map((name) => name.replace(/\.stale-\d+$/, ".stale"))
        .sort();
    const plan = (...more: string[]) => set.plan(moveStaleLock, [...facts, ...more], changes);
    return { ...set, plan, names };
  }

  test("moves those of another process, leaves the others, asks first, and is taken back", async (t) => {
    const { ledger, plan, names } = await withLocks(t);
    const found = (await plan())!;
    assert.equal(found.risk, "disruptive");
    await ledger.carryOut("move-stale-lock", found);
    assert.deepEqual(await names(), ["beside", "gone", "held", "other.stale"]);
    await ledger.undo(undefined);
    assert.deepEqual(await names(), ["beside", "gone", "held", "other"]);
  });

  test("leaves one whose pid is its gateway's by then", async (t) => {
    const { plan, names } = await withLocks(t, processWith({ pid: 1, startTime: "1" }));
    await (await plan())?.apply();
    assert.deepEqual(await names(), ["beside", "gone", "held", "other"]);
  });

  for (const inTheWay of ["lock-held", "gateway-young"]) {
    test(`is not thought of with ${inTheWay}`, async (t) => {
      assert.equal(await (await withLocks(t)).plan(inTheWay), undefined);
    });
  }

  test("is not thought of while somebody listens", async (t) => {
    const { plan } = await home(t, GOOD);
    assert.equal(await plan(moveStaleLock, ["lock-of-another", "port-foreign"]), undefined);
    assert.equal(await plan(moveStaleLock, ["lock-left-behind", "port-free"]), undefined);
  });
});

describe("starting OpenClaw", () => {
  const away = ["port-free", "no-gateway-process"];

  async function withProgram(t: TestContext, script = "#!/bin/sh\n", target = localTarget(28789, false)) {
    const set = await home(t, GOOD);
    const bin = join(set.folder, "bin");
    await mkdir(bin);
    await writeFile(join(bin, "openclaw"), script, { mode: 0o755 });
    const launched: string[][] = [];
    const launch = async (file: string, args: readonly string[]) => void launched.push([file, ...args]);
    const plan = (...facts: string[]) =>
      set.plan(startOpenClaw, facts, { env: { PATH: `/nowhere:${bin}` }, actions: { launch }, target });
    return { ...set, plan, program: join(bin, "openclaw"), launched };
  }

  test("runs the openclaw of the PATH as it would itself, and is asked first", async (t) => {
    const { plan, program, launched } = await withProgram(t);
    const found = await plan(...away);
    assert.equal(found?.risk, "disruptive");
    await found?.apply();
    assert.deepEqual(launched, [[program, "gateway", "run", "--port", "28789"]]);
  });

  test("does not take our alias for it", async (t) => {
    const { plan } = await withProgram(t, '#!/bin/sh\nexec node /opt/clawkit/src/bin/openclaw.ts "$@"\n');
    assert.equal(await plan(...away), undefined);
  });

  test("is not thought of where another port was asked than it is configured for", async (t) => {
    const { plan } = await withProgram(t, undefined, localTarget(28790, false));
    assert.equal(await plan(...away), undefined);
  });

  for (const inTheWay of [
    "openclaw-config-broken",
    "openclaw-mode-unset",
    "lock-of-another",
    "disk-full",
    "gateway-young",
    "lock-held",
    "family-lives",
    "service-running",
    "ours-stopped",
  ]) {
    test(`is not thought of with ${inTheWay}`, async (t) => {
      assert.equal(await (await withProgram(t)).plan(...away, inTheWay), undefined);
    });
  }

  test("is not thought of where a gateway lives, or the port is taken", async (t) => {
    const { plan } = await withProgram(t);
    assert.equal(await plan("port-free"), undefined);
    assert.equal(await plan("port-foreign", "no-gateway-process"), undefined);
  });
});
