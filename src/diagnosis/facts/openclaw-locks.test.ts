import assert from "node:assert/strict";
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { machineWith, processWith } from "../../../test/helpers/machine.ts";
import type { ProcessFacts } from "../../host/types.ts";
import { lockOwner, openclawLocks, readOpenClawLocks } from "./openclaw-locks.ts";

const SPECIMEN = fileURLToPath(new URL("../../../test/fixtures/openclaw/gateway.lock", import.meta.url));

/** What the specimen says. */
const LOCK = {
  pid: 4711,
  startTime: "2559441",
  createdAt: "2026-11-22T20:25:20.999Z",
  port: 31789,
};

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "clawkit-locks-"));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

async function put(path: string, text?: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  if (text === undefined) await copyFile(SPECIMEN, path);
  else await writeFile(path, text);
  return path;
}

const UID = process.getuid?.();

describe("readOpenClawLocks", () => {
  // whoever may write to /tmp could name any process there, and have it ended
  test("believes no lock of another user, none that others may write, and no link", async (t) => {
    const dir = await folder(t);
    const inner = join(dir, "tmp", "openclaw-1000");
    const open = await put(join(inner, "gateway.open.lock"));
    await chmod(open, 0o666);
    await symlink(await put(join(dir, "elsewhere")), join(inner, "gateway.link.lock"));
    assert.deepEqual(await readOpenClawLocks([dir], dir, UID), []);
    await chmod(open, 0o644);
    assert.equal((await readOpenClawLocks([dir], join(dir, "none"), UID)).length, 1);
    assert.deepEqual(await readOpenClawLocks([dir], join(dir, "none"), (UID ?? 0) + 1), []);
  });

  test("reads a lock of OpenClaw 2026.9.6, with blanks behind its JSON", async (t) => {
    const dir = await folder(t);
    const path = await put(join(dir, "tmp", "openclaw-1000", "gateway.35d95105.lock"));
    assert.deepEqual(await readOpenClawLocks([dir], await folder(t), UID), [{ path, ...LOCK }]);
  });

  test("reads one in the system's folder, where earlier versions kept it, and of an earlier name", async (t) => {
    const temp = await folder(t);
    const paths = [
      await put(join(temp, "openclaw-1000", "gateway.35d95105.lock")),
      await put(join(temp, "clawdbot", "gateway.lock"), '{"pid":7}'),
    ];
    const locks = await readOpenClawLocks([], temp, UID);
    assert.deepEqual(locks.map(({ path }) => path).sort(), paths.sort());
    const old = locks.find(({ pid }) => pid === 7);
    assert.deepEqual([old?.startTime, old?.createdAt, old?.port], [undefined, undefined, undefined]);
  });

  test("takes nothing else for a lock", async (t) => {
    const dir = await folder(t);
    const inner = join(dir, "tmp", "openclaw-1000");
    await put(join(inner, "gateway.35d95105.lock.sqlite"));
    await put(join(inner, "device-identity.1.lock"));
    await put(join(inner, "gateway.half.lock"), '{"pid": 47');
    await put(join(inner, "gateway.none.lock"), "");
    await put(join(inner, "gateway.null.lock"), "null");
    await put(join(inner, "gateway.odd.lock"), '{"pid":"4711"}');
    await put(join(dir, "tmp", "other-1000", "gateway.35d95105.lock"));
    assert.deepEqual(await readOpenClawLocks([dir, join(dir, "none")], join(dir, "none"), UID), []);
  });
});

describe("the owner of a lock", () => {
  const lock = { path: "/lock", ...LOCK };
  const old = { ...lock, startTime: undefined };
  const node = { executable: "/usr/bin/node", command: "openclaw-gateway" };
  const cases: [what: string, lock: typeof old | typeof lock, processes: ProcessFacts[], owner: string][] = [
    ["is the process that started then", lock, [processWith({ startTime: "2559441" })], "held"],
    ["is another one that has its pid now", lock, [processWith({ startTime: "2559442", ...node })], "other"],
    ["is gone with the process", lock, [processWith({ pid: 4712 })], "gone"],
    ["is gone if it is defunct", lock, [processWith({ startTime: "2559441", state: "zombie" })], "gone"],
    ["is not known of an old lock and some Node", old, [processWith(node)], "unknown"],
    ["is another one if that is no Node at all", old, [processWith({ command: "nginx" })], "other"],
  ];
  for (const [what, one, processes, owner] of cases) {
    test(what, () => assert.equal(lockOwner(one, processes), owner));
  }
});

describe("the facts about locks", () => {
  const lock = { path: "/lock", ...LOCK };

  async function found(processes: readonly ProcessFacts[], agoMs = 3_600_000) {
    const machine = machineWith({
      openclawDirs: ["/home/u/.openclaw"],
      openclawLocks: async () => [lock],
      processes: async () => processes,
      clock: { now: () => 0, wall: () => Date.parse(LOCK.createdAt) + agoMs },
    });
    return (await openclawLocks.look(machine)).map(({ id }) => id);
  }

  test("are about who has the pid", async () => {
    const [owner, other] = ["2559441", "1"].map((startTime) => processWith({ startTime }));
    assert.deepEqual(await found([]), ["lock-left-behind"]);
    assert.deepEqual(await found([other!]), ["lock-of-another"]);
    assert.deepEqual(await found([owner!]), ["lock-held"]);
    assert.deepEqual(await found([owner!], 5_000), ["lock-held", "gateway-young"]);
  });

  test("are none where there is no OpenClaw", async () => {
    const machine = machineWith({ openclawLocks: async () => [lock] });
    assert.deepEqual(await openclawLocks.look(machine), []);
  });
});
