import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { machineWith, processWith, stoppedStatus } from "../../../test/helpers/machine.ts";
import type { ProcessFacts } from "../../host/types.ts";
import { familyOf, ownerOf } from "./owner.ts";

const NODE = "/usr/bin/node";
const ENTRY = "/usr/lib/node_modules/openclaw/dist/index.js";
const DIR = "/home/u/.openclaw";

const lock = {
  path: `${DIR}/tmp/openclaw-1000/gateway.1.lock`,
  pid: 4711,
  startTime: "100",
  createdAt: undefined,
  port: 28789,
};

/** What a process of pid 4711, started at 100, is taken for. */
async function owner(changes: Partial<ProcessFacts>, machine: Parameters<typeof machineWith>[0] = {}) {
  return await ownerOf(processWith(changes), machineWith(machine));
}

describe("ours", () => {
  const status = (pids: { supervisor?: number; edge?: number; gateway?: number }) => {
    const { supervisor = null, edge = null, gateway = null } = pids;
    const none = stoppedStatus();
    return async () =>
      stoppedStatus({
        supervisor: { pid: supervisor, upMs: null, version: null },
        edge: { pid: edge, held: 0 },
        gateway: { ...none.gateway, pid: gateway },
      });
  };
  for (const role of ["supervisor", "edge", "gateway"] as const) {
    test(`is what our supervisor names as its ${role}`, async () => {
      assert.equal(await owner({ command: "a.out" }, { status: status({ [role]: 4711 }) }), "ours");
    });
  }

  test("is not what only is called like us", async () => {
    for (const command of ["clawkit supervisor", "clawkit edge", "openclaw gateway"]) {
      assert.equal(await owner({ executable: NODE, command }, { status: status({ gateway: 5 }) }), "foreign");
    }
  });
});

describe("family", () => {
  test("is a Node that runs OpenClaw's entry point", async () => {
    for (const command of [
      `node ${ENTRY} gateway --port 18789`,
      "node /home/u/.npm-global/lib/node_modules/openclaw/openclaw.mjs gateway run",
      "/usr/bin/node /opt/node_modules/clawdbot/dist/entry.js gateway",
      "node --max-old-space-size=512 /usr/lib/node_modules/moltbot/dist/entry.js gateway run --port 18789",
    ]) {
      assert.equal(await owner({ executable: NODE, command }), "family", command);
    }
  });

  test("is one in a folder with blanks, where the system keeps arguments apart", async () => {
    const executable = "C:\\Program Files\\nodejs\\node.exe";
    const entry = "C:\\Users\\Ana B\\AppData\\Roaming\\npm\\node_modules\\openclaw\\openclaw.mjs";
    const changes = { executable, command: `"${executable}" "${entry}" gateway` };
    assert.equal(await owner({ ...changes, args: [executable, entry, "gateway"] }), "family");
    assert.equal(await owner({ ...changes, args: [executable, "watch.js", entry, "gateway"] }), "foreign");
  });

  // macOS prints arguments with blanks between them, and nothing that says where one ends
  test("is one in a folder with blanks, by the file that is there", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "clawkit owner "));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const entry = join(folder, "node_modules", "openclaw", "openclaw.mjs");
    await mkdir(dirname(entry), { recursive: true });
    await writeFile(entry, "");
    await writeFile(join(folder, "watch.js"), "");
    const executable = "/Applications/My App/node";
    assert.equal(await owner({ executable, command: `${executable} ${entry} gateway` }), "family");
    const watched = `${executable} ${join(folder, "watch.js")} ${entry} gateway`;
    assert.equal(await owner({ executable, command: watched }), "foreign");
  });

  test("is a Node whose lock has its pid and its start time, whatever it calls itself", async () => {
    const changes = { executable: NODE, command: "openclaw-gateway   " };
    assert.equal(await owner(changes, { openclawLocks: async () => [lock], openclawDirs: [DIR] }), "family");
    // anybody may write to a folder that all share
    const shared = { ...lock, path: "/tmp/openclaw-1000/gateway.35d95105.lock" };
    assert.equal(
      await owner(changes, { openclawLocks: async () => [shared], openclawDirs: [DIR] }),
      "foreign",
    );
  });

  test("is not a Node that only has the pid of a lock", async () => {
    const changes = { executable: NODE, command: "openclaw-gateway" };
    for (const startTime of ["99", undefined]) {
      assert.equal(await owner(changes, { openclawLocks: async () => [{ ...lock, startTime }] }), "foreign");
    }
  });
});

describe("foreign", () => {
  for (const [what, changes] of [
    ["a title", { executable: NODE, command: "openclaw-gateway" }],
    ["the page's own words", { executable: NODE, command: "openclaw gateway --port 18789" }],
    [
      "OpenClaw's entry point as a title of something that is no Node",
      { executable: "/usr/bin/python3.11", command: `node ${ENTRY} gateway` },
    ],
    [
      "OpenClaw's entry point, of an executable that this user may not see",
      { command: `node ${ENTRY} gateway` },
    ],
    ["a file of the name", { executable: NODE, command: "node /srv/openclaw-gateway.mjs gateway" }],
    [
      "a project's folder of the name",
      { executable: NODE, command: "node /home/u/src/openclaw/server.mjs gateway" },
    ],
    [
      "OpenClaw's entry point as an argument",
      { executable: NODE, command: `node /srv/watch.js ${ENTRY} gateway` },
    ],
    ["an editor of its sources", { executable: "/usr/bin/vim.basic", command: `vim ${ENTRY}` }],
  ] as const) {
    test(`is ${what}`, async () => assert.equal(await owner(changes), "foreign"));
  }
});

describe("familyOf", () => {
  const family = async (...commands: string[]) => {
    const processes = commands.map((command, index) =>
      processWith({ pid: index + 1, executable: NODE, command }),
    );
    return (await familyOf(machineWith({ processes: async () => processes }))).map(({ pid }) => pid);
  };

  test("is every gateway, but those that were given another port", async () => {
    const commands = ["gateway --port 28789", "app.js", "gateway run", "gateway run --port 1"];
    assert.deepEqual(await family(...commands.map((rest) => `node ${ENTRY} ${rest}`)), [1, 3]);
  });

  test("is not its helpers (2026.9.6), nor a command that ends by itself", async () => {
    const dist = "/usr/lib/node_modules/openclaw/dist";
    const helpers = [
      `node ${dist}/process/spawn-broker/worker.js`,
      `node ${dist}/infra/sqlite-readonly-location.worker.js --openclaw-sqlite-readonly-child session`,
      `node ${ENTRY} gateway status`,
      `node ${ENTRY} doctor`,
      `node ${ENTRY} tui`,
    ];
    assert.deepEqual(await family(...helpers), []);
  });
});
