import assert from "node:assert/strict";
import { access, copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { freePort, ROOT, sleep, TestClawkit, TOKEN, until } from "../helpers/clawkit.ts";
import { checkFramesOfEachTest } from "../helpers/gateway-frames.ts";
import { RawGatewayClient } from "../helpers/raw-gateway-client.ts";

const TROUBLES = join(ROOT, "test/fixtures/modules/troubles.ts");

/** A gateway that was up this long has its quick restarts, and takes nothing in flight for the end of the one before. */
const SETTLED_MS = 1_500;

checkFramesOfEachTest();

async function connected(t: TestContext, url: string): Promise<RawGatewayClient> {
  const client = new RawGatewayClient(url);
  t.after(() => client[Symbol.dispose]());
  await client.connect({ auth: { token: TOKEN }, scopes: ["operator.admin"] });
  return client;
}

const runsIn = async (file: string) => (await readFile(file, "utf8").catch(() => "")).split("\n").length - 1;

const reasonOf = (error: unknown) => (error as { details?: { reason?: string } }).details?.reason;

/** All answers that a client got to one of its requests. */
const answersTo = (client: RawGatewayClient, method: string) =>
  client.frames.filter((frame) => frame.type === "res" && frame.id.startsWith(`${method} `));

describe("methods of a module and the gateway's end", () => {
  for (const { method, runs, check } of [
    {
      method: "trouble.note",
      runs: 2,
      check: ({ ok }: { ok: boolean }) => assert.equal(ok, true),
    },
    {
      method: "trouble.noteOnce",
      runs: 1,
      check: ({ error }: { error?: unknown }) => assert.equal(reasonOf(error), "outcome-unknown"),
    },
  ]) {
    test(`${method} was under way at a kill -9: it ran ${runs} times, and is answered once`, async (t) => {
      await using clawkit = await TestClawkit.run({ gateway: { modules: [TROUBLES] } });
      const client = await connected(t, clawkit.url);
      const file = join(clawkit.stateDir, "ran");
      const asked = client.request(method, { file, waitMs: 1_000 });
      await until(async () => (await runsIn(file)) === 1 || undefined);
      process.kill((await clawkit.status()).gateway.pid!, "SIGKILL");
      check(await asked);
      await sleep(SETTLED_MS);
      assert.equal(await runsIn(file), runs);
      assert.equal(answersTo(client, method).length, 1);
      assert.equal(client.socket.readyState, client.socket.OPEN);
    });
  }

  test("a planned restart waits for a module that needs a port of its own", async (t) => {
    const port = await freePort();
    await using clawkit = await TestClawkit.create();
    const file = join(clawkit.stateDir, "listens.ts");
    await writeFile(file, listensOn(port));
    await clawkit.writeConfig({ gateway: { modules: [file] } });
    await clawkit.runForeground();
    await clawkit.ready();
    const client = await connected(t, clawkit.url);
    assert.equal((await client.request("port.answer")).ok, true);
    await clawkit.control({ op: "restart", all: false });
    assert.equal((await client.request("port.answer")).ok, true);
  });

  test("a method that aborts the gateway costs two restarts, and nobody else their connection", async (t) => {
    await using clawkit = await TestClawkit.run({ gateway: { modules: [TROUBLES] } });
    const culprit = await connected(t, clawkit.url);
    const others = await Promise.all(Array.from({ length: 10 }, () => connected(t, clawkit.url)));
    await sleep(SETTLED_MS);
    const { generation } = (await clawkit.status()).gateway;
    const file = join(clawkit.stateDir, "ran");
    const startedAt = performance.now();
    const asked = culprit.request("trouble.endGateway", { file, signal: "SIGABRT" });
    let slowestMs = 0;
    let isOver = false;
    const asking = others.map(async (other) => {
      while (!isOver) {
        const askedAt = performance.now();
        assert.equal((await other.request("health")).ok, true);
        slowestMs = Math.max(slowestMs, performance.now() - askedAt);
        await sleep(20);
      }
    });
    const { error } = await asked;
    const tookMs = performance.now() - startedAt;
    assert.equal(reasonOf(error), "quarantined");
    await sleep(SETTLED_MS);
    isOver = true;
    await Promise.all(asking);
    assert.equal(await runsIn(file), 2);
    const { gateway } = await clawkit.ready();
    assert.equal(gateway.generation, generation! + 2);
    for (const client of [culprit, ...others]) assert.equal(client.socket.readyState, client.socket.OPEN);
    const { payload } = await culprit.request("diagnostics.stability", { type: "request.quarantined" });
    assert.equal((payload as { events: { method?: string }[] }).events[0]!.method, "trouble.endGateway");
    assert.match(
      (await clawkit.cli("logs")).stdout,
      /trouble\.endGateway was in flight when the gateway ended, 2 times/,
    );
    t.diagnostic(
      `two restarts: answered after ${Math.round(tookMs)} ms; the longest that another client waited: ${Math.round(slowestMs)} ms`,
    );
  });

  test("one that hangs ends with its gateway", async (t) => {
    await using clawkit = await TestClawkit.run({ gateway: { modules: [TROUBLES] } });
    const client = await connected(t, clawkit.url);
    const { gateway } = await clawkit.status();
    const modules = await childrenOf(gateway.pid!);
    assert.equal(modules.length, 1);
    void client.request("trouble.hang").catch(() => undefined);
    process.kill(gateway.pid!, "SIGKILL");
    await until(async () => {
      const isGone = await access(`/proc/${modules[0]}`).then(
        () => false,
        () => true,
      );
      return isGone || undefined;
    });
  });

  test("a planned restart reads it anew", async (t) => {
    await using clawkit = await TestClawkit.create({ gateway: { modules: ["./mine.ts"] } });
    const file = join(clawkit.stateDir, "mine.ts");
    await writeFile(file, moduleThatSays("one"));
    await clawkit.runForeground();
    await clawkit.ready();
    const client = await connected(t, clawkit.url);
    assert.equal((await client.request("mine.say")).payload, "one");
    await writeFile(file, moduleThatSays("two"));
    const { code } = await clawkit.cli("gateway", "restart");
    assert.equal(code, 0);
    const again = await connected(t, clawkit.url);
    assert.equal((await again.request("mine.say")).payload, "two");
  });

  test("the example does what its README shows", async () => {
    await using clawkit = await TestClawkit.create({ gateway: { modules: ["./notes.ts"] } });
    await copyFile(join(ROOT, "examples/gateway-module/notes.ts"), join(clawkit.stateDir, "notes.ts"));
    assert.equal((await clawkit.cli("config", "validate")).code, 0);
    await clawkit.runForeground();
    await clawkit.ready();
    const call = (method: string, params: object) =>
      clawkit.cli("call", method, "--params", JSON.stringify(params));
    const added = await call("notes.add", { text: "feed the lobster" });
    assert.equal(JSON.parse(added.stdout).text, "feed the lobster");
    assert.equal((await call("notes.get", { n: 1 })).stdout, added.stdout);
    const refused = await call("notes.get", { n: 7 });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /INVALID_REQUEST: there is no note 7: there are 1\n/);
    assert.match(
      (await call("notes.add", { text: "" })).stderr,
      /invalid notes\.add params: \/text: must not have/,
    );
  });

  test("one that cannot be loaded is shown by status, and config validate says what to do", async () => {
    await using clawkit = await TestClawkit.run({ gateway: { modules: ["./mine.ts"] } });
    const status = await clawkit.cli("gateway", "status");
    assert.equal(status.code, 0);
    assert.match(
      status.stdout,
      /module +\S+mine\.ts cannot be loaded: \S+mine\.ts is no file: correct it in gateway\.modules/,
    );
    const validated = await clawkit.cli("config", "validate");
    assert.equal(validated.code, 78);
    assert.match(validated.stderr, /gateway\.modules names \.\/mine\.ts, and \S+mine\.ts is no file/);
  });
});

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.trim().split(" ").filter(Boolean).map(Number);
}

function moduleThatSays(text: string): string {
  return `export default {
    "mine.say": { scope: "operator.read", external: false, params: { type: "object" }, run: (): string => "${text}" },
  };`;
}

function listensOn(port: number): string {
  return `import net from "node:net";
  const server = net.createServer().listen(${port}, "127.0.0.1");
  await new Promise((resolve, reject) => server.once("listening", resolve).once("error", reject));
  export default {
    "port.answer": { scope: "operator.read", external: false, params: { type: "object" }, run: (): string => "here" },
  };`;
}
