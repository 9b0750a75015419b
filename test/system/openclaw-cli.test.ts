import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openclawEntry, whyNotInstalled } from "../faults/openclaw-install.ts";
import { whyNoOpenclaw } from "../faults/openclaw-lab.ts";
import { type CommandResult, TestClawkit, TOKEN } from "../helpers/clawkit.ts";
import { newDevice } from "../helpers/device.ts";
import { RawGatewayClient } from "../helpers/raw-gateway-client.ts";
import { exits, json } from "../helpers/results.ts";

// The command line of npm's openclaw, against the built-in gateway behind its edge. Each command takes it 2 to 4 s.

const skip = process.env.CI ? false : whyNoOpenclaw() || whyNotInstalled();

describe("the command line of openclaw", { skip }, () => {
  const device = newDevice();
  let clawkit: TestClawkit;
  let home: string;
  let node: RawGatewayClient;

  /** With a home, a state folder and a config of its own, as a user has who changed from one gateway to the other. */
  function openclaw(...args: string[]): Promise<CommandResult> {
    const env = { HOME: home, OPENCLAW_STATE_DIR: join(home, ".openclaw"), OPENCLAW_CONFIG_PATH: "" };
    return clawkit.spawnAndWait(process.execPath, [openclawEntry(), ...args], env);
  }

  before(async () => {
    clawkit = await TestClawkit.run();
    home = await mkdtemp(join(tmpdir(), "clawkit-test-"));
    await mkdir(join(home, ".openclaw"));
    const gateway = { mode: "local", port: clawkit.port, auth: { mode: "token", token: TOKEN } };
    await writeFile(join(home, ".openclaw", "openclaw.json"), JSON.stringify({ gateway }));
    node = new RawGatewayClient(clawkit.url);
    const client = { id: "node-host", version: "1.0.0", platform: "linux", mode: "node" } as const;
    const auth = { token: TOKEN };
    const hello = await node.connectAs(device, { auth, role: "node", client, commands: ["look"] });
    assert.equal(hello.ok, true);
  });
  after(async () => {
    node?.[Symbol.dispose]();
    await clawkit?.[Symbol.asyncDispose]();
    await rm(home, { recursive: true, force: true });
  });

  // alone: it gives a gateway 3 s, in which it starts a client of its own
  test("gateway probe: the gateway is reached, and nothing is missing", async () => {
    const probe = json<{ targets: object[] }>(await exits(0, openclaw("gateway", "probe", "--json")));
    assert.partialDeepStrictEqual(probe, {
      ok: true,
      degraded: false,
      capability: "read_only",
      primaryTargetId: "localLoopback",
    });
    assert.partialDeepStrictEqual(probe.targets[0], {
      url: clawkit.url,
      connect: { ok: true, rpcOk: true, scopeLimited: false, error: null },
      health: { ok: true },
      config: { path: clawkit.configPath, valid: true, issues: [] },
    });
  });

  describe("shows what the gateway answers:", { concurrency: 2 }, () => {
    test("gateway call health", async () => {
      const { stdout } = await exits(0, openclaw("gateway", "call", "health", "--json"));
      assert.equal((JSON.parse(stdout) as { ok: boolean }).ok, true);
    });

    test("gateway health", async () => {
      const { stdout } = await exits(0, openclaw("gateway", "health"));
      assert.match(stdout, /Gateway Health\s+OK/);
    });

    test("logs: the gateway's own file, which this command line knows from nowhere else", async () => {
      const { stdout } = await exits(0, openclaw("logs", "--json"));
      const [meta, ...lines] = stdout.split("\n");
      assert.equal(
        (JSON.parse(meta!) as { file: string }).file,
        join(clawkit.stateDir, "logs", "gateway.log"),
      );
      assert.match(lines.join("\n"), /gateway ready: generation 1/);
    });

    test("devices list", async () => {
      const { paired } = json<{ paired: object[] }>(await exits(0, openclaw("devices", "list", "--json")));
      assert.partialDeepStrictEqual(paired, [{ deviceId: device.id, roles: ["node"], connected: true }]);
    });

    test("devices list, as a table", async () => {
      const { stdout } = await exits(0, openclaw("devices", "list"));
      assert.match(stdout, /Paired \(1\)/);
    });

    test("nodes status", async () => {
      const { nodes } = json<{ nodes: object[] }>(await exits(0, openclaw("nodes", "status", "--json")));
      assert.partialDeepStrictEqual(nodes, [{ nodeId: device.id, connected: true, commands: ["look"] }]);
    });

    test("nodes status, as a table", async () => {
      const { stdout } = await exits(0, openclaw("nodes", "status"));
      assert.match(stdout, /Known: 1 · Paired: 1 · Connected: 1/);
    });
  });

  test("is told what is wrong with its token", async () => {
    const { code, stderr } = await openclaw("gateway", "call", "health", "--token", "guessed");
    assert.equal(code, 1);
    assert.match(stderr, /gateway token mismatch/);
  });
});
