import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { whyNotInstalled } from "../faults/openclaw-install.ts";
import { OpenclawLab, whyNoOpenclaw } from "../faults/openclaw-lab.ts";
import { program, ROOT, TestClawkit, until } from "../helpers/clawkit.ts";
import { ask } from "../helpers/http.ts";
import { TestHost, whyNoNamespaces } from "../helpers/network.ts";
import { exits, json } from "../helpers/results.ts";

const skip = process.env.CI ? false : whyNoNamespaces() || whyNoOpenclaw() || whyNotInstalled();

interface Saw {
  readonly hello?: { auth: { scopes: string[] } };
  readonly text?: string;
  readonly code: number;
  readonly reason: string;
  readonly error?: string;
}

const CLIENT = join(ROOT, "test/fixtures/programs/remote-client.ts");
const DEVICE = join(ROOT, "test/fixtures/programs/device-client.ts");

function fromAfar(host: TestHost, url: string, token: string, ...headers: string[]): Saw {
  return JSON.parse(host.exec(process.execPath, CLIENT, url, token, ...headers)) as Saw;
}

/** What a client may send to look like a local one. */
const FORGED = [
  ["X-Forwarded-For=127.0.0.1"],
  ["X-Forwarded-For=127.0.0.1, 127.0.0.1"],
  ["X-Real-IP=127.0.0.1"],
  ["Forwarded=for=127.0.0.1"],
  ["X-Forwarded-For=127.0.0.1", "Forwarded=for=127.0.0.1;proto=http", "X-Real-IP=127.0.0.1"],
  ["Host=localhost", "X-Forwarded-Host=localhost"],
  ["Tailscale-User-Login=owner@example.com", "Tailscale-User-Name=Owner"],
];

describe("an adopted OpenClaw on a network", { skip, concurrency: false }, () => {
  let lab: OpenclawLab;
  let host: TestHost;
  let configBefore: Buffer;

  before(async () => {
    host = new TestHost();
    lab = await OpenclawLab.create();
    await lab.writeConfig({ bind: "lan" });
    configBefore = await readFile(lab.configPath);
  });
  after(async () => {
    await lab?.[Symbol.asyncDispose]();
    host?.[Symbol.dispose]();
  });

  test("its config is changed for that only, the change is shown, and a copy is kept", async () => {
    const plan = json<{ changes: { path: string; diff: string[] }[] }>(
      await exits(0, lab.clawkit("adopt", "--dry-run", "--json")),
    );
    const change = plan.changes.find(({ path }) => path === lab.configPath);
    assert.deepEqual(change?.diff, ['+ gateway.trustedProxies.0: "127.0.0.1"']);
    assert.deepEqual(await readFile(lab.configPath), configBefore);
    await exits(0, lab.clawkit("adopt", "--yes", "--json"));
    const { gateway } = JSON.parse(JSON.stringify(await readConfig(lab.configPath)));
    assert.deepEqual(gateway.trustedProxies, ["127.0.0.1"]);
  });

  // a local one of these gets whatever it asks for
  for (const who of ["cli/cli", "gateway-client/backend"]) {
    test(`${who} on another host never gets what a local one gets, whatever it claims`, async () => {
      const here = await lab.output(["env", `CLIENT=${who}`, process.execPath, CLIENT, lab.url, lab.token]);
      const local = JSON.parse(here.stdout) as Saw;
      assert.deepEqual(local.hello?.auth.scopes, ["operator.admin", "operator.read"]);
      const url = `ws://${host.outside}:${lab.port}`;
      for (const headers of [[], ...FORGED]) {
        const program = [process.execPath, CLIENT, url, lab.token, ...headers];
        const remote = JSON.parse(host.exec("env", `CLIENT=${who}`, ...program)) as Saw;
        assert.deepEqual(remote.hello?.auth.scopes, [], `${headers}: ${JSON.stringify(remote)}`);
      }
      assert.equal(fromAfar(host, url, "wrong-token", ...FORGED[0]!).hello, undefined);
    });
  }

  test("a new device here is paired at once, one on another host has to ask", async () => {
    const local = await lab.output([process.execPath, DEVICE, lab.url, lab.token]);
    const remote = host.exec(process.execPath, DEVICE, `ws://${host.outside}:${lab.port}`, lab.token);
    assert.deepEqual(JSON.parse(local.stdout), { scopes: ["operator.admin", "operator.read"] });
    assert.deepEqual(JSON.parse(remote), { refused: "PAIRING_REQUIRED" });
  });

  test("a local proxy that the edge does not know is refused, not taken for a local client", async () => {
    const answer = await ask(lab.port, "/", { headers: { "X-Forwarded-For": "198.51.100.7" } });
    assert.equal(answer.status, 403);
  });

  test("taken out of its config again, remote clients are refused at once, local ones are served", async () => {
    await writeFile(lab.configPath, configBefore);
    const url = `ws://${host.outside}:${lab.port}`;
    const saw = await until(() => {
      const one = fromAfar(host, url, lab.token);
      return one.code === 1008 && /remote clients are refused/.test(one.reason) ? one : undefined;
    });
    assert.equal(saw.hello, undefined);
  });

  test("adopt --undo brings its config back byte for byte", async () => {
    await exits(0, lab.clawkit("adopt", "--undo", "--json"));
    assert.deepEqual(await readFile(lab.configPath), configBefore);
  });

  test("without authentication it is not adopted, and nothing is changed", async () => {
    await lab.writeConfig({ bind: "lan", auth: { mode: "none" } });
    const refused = await exits(1, lab.clawkit("adopt", "--yes", "--json"));
    const { state, obstacles } = json<{ state: string; obstacles: { text: string }[] }>(refused);
    assert.equal(state, "refused");
    assert.match(obstacles.map(({ text }) => text).join("\n"), /gateway\.auth\.mode is none/);
  });
});

describe("an upstream of type openclaw that does not know the edge", { skip }, () => {
  const cases = {
    "lists no proxy": { auth: { mode: "token", token: "t" } },
    "lists others only": { auth: { mode: "token", token: "t" }, trustedProxies: ["10.0.0.1"] },
    "asks nobody for a token": { auth: { mode: "none" }, trustedProxies: ["127.0.0.1"] },
    "believes a header that names a user": {
      auth: { mode: "trusted-proxy", trustedProxy: { userHeader: "x-user" } },
      trustedProxies: ["127.0.0.1"],
    },
  };
  for (const [name, gateway] of Object.entries(cases)) {
    test(`${name}: remote clients are refused, their headers are not stripped`, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), "clawkit-test-"));
      t.after(() => rm(folder, { recursive: true }));
      const path = join(folder, "openclaw.json");
      await writeFile(path, JSON.stringify({ gateway }));
      process.env.OPENCLAW_CONFIG_PATH = path;
      t.after(() => delete process.env.OPENCLAW_CONFIG_PATH);
      using host = new TestHost();
      const upstream = { type: "openclaw", command: program("echo") };
      await using clawkit = await TestClawkit.run({ gateway: { bind: "lan", upstream } });
      const url = `ws://${host.outside}:${clawkit.port}`;
      for (const headers of [[], ...FORGED]) {
        const saw = fromAfar(host, url, "-", ...headers);
        assert.deepEqual([saw.code, saw.text], [1008, undefined], `${headers}`);
        assert.match(saw.reason, /remote clients are refused.*OpenClaw's gateway\.trustedProxies/);
      }
      const script = `fetch("http://${host.outside}:${clawkit.port}/").then((a) => console.log(a.status))`;
      assert.equal(host.exec(process.execPath, "-e", script).trim(), "403");
      const answer = await ask(clawkit.port, "/");
      assert.notEqual(answer.status, 403, "a local client is served");
    });
  }
});

async function readConfig(path: string): Promise<unknown> {
  const { parseJson5 } = await import("../../src/config/parse.ts");
  return parseJson5({ path, text: await readFile(path, "utf8") });
}
