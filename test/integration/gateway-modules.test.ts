import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { readMissingScopeError } from "@openclaw/gateway-protocol/gateway-error-details";
import { until } from "../helpers/clawkit.ts";
import { checkFramesOfEachTest } from "../helpers/gateway-frames.ts";
import { reasonOf, withTroubles } from "../helpers/gateway-modules.ts";
import { startGateway, TOKEN } from "../helpers/gateway-rig.ts";

const GOOD =
  '{ scope: "operator.read", external: false, params: { type: "object" }, run: (): string => "hello" }';

checkFramesOfEachTest();

/** A file of that text, for `gateway.modules`. */
async function moduleOf(t: TestContext, text: string, name = "mine.ts"): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "clawkit-module-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

describe("a module's methods", () => {
  test("are listed, get their parameters and who asks, and answer", async (t) => {
    const { open, connected } = await withTroubles(t);
    const client = await connected(["operator.read"]);
    const { payload } = await client.request("trouble.echo", { a: [1, "ü", null] });
    assert.deepEqual(payload, {
      params: { a: [1, "ü", null] },
      caller: { role: "operator", scopes: ["operator.read"], client: "test" },
    });
    using other = open();
    const hello = await other.connect({ auth: { token: TOKEN } });
    const { features } = hello.payload as { features: { methods: string[] } };
    assert.ok(features.methods.includes("trouble.echo") && features.methods.includes("health"));
  });

  test("get no parameters that break their schema, and say which", async (t) => {
    const client = await (await withTroubles(t)).connected();
    const { error } = await client.request("trouble.greet", { name: "x" });
    assert.equal(error?.code, "INVALID_REQUEST");
    assert.match(
      error!.message,
      /^invalid trouble\.greet params: \/name: must not have fewer than 2 characters/,
    );
    assert.equal((await client.request("trouble.greet", { name: "lobster" })).payload, "hello lobster");
  });

  test("get nothing that is nested too deeply to be passed on", async (t) => {
    const client = await (await withTroubles(t)).connected();
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    client.send(`{"type":"req","id":"deep","method":"trouble.echo","params":{"a":${deep}}}`);
    const answer = await client.when(() =>
      client.frames.filter((frame) => frame.type === "res").find(({ id }) => id === "deep"),
    );
    assert.match(answer.error!.message, /^invalid trouble\.echo params: they cannot be passed on/);
    assert.equal((await client.request("trouble.echo")).ok, true);
  });

  test("are refused to who lacks the scope, or the role", async (t) => {
    const client = await (await withTroubles(t)).connected(["operator.read"]);
    const { error } = await client.request("trouble.admin");
    assert.equal(readMissingScopeError(error)?.missingScope, "operator.admin");
    assert.equal((await client.request("trouble.node")).error?.message, "unauthorized role: operator");
  });

  test("begin nothing while the gateway is suspended", async (t) => {
    const client = await (await withTroubles(t)).connected();
    await client.request("gateway.suspend.prepare", { requestId: "moving house" });
    assert.equal(reasonOf((await client.request("trouble.echo")).error), "gateway-suspended");
  });

  test("tell the client what they refuse, and nothing of what they threw: that is in the log", async (t) => {
    const { connected, logged } = await withTroubles(t);
    const client = await connected();
    const refused = await client.request("trouble.refuse");
    assert.deepEqual(refused.error, { code: "INVALID_REQUEST", message: "there is no note 7" });
    for (const method of ["trouble.throw", "trouble.cycle"]) {
      const { error } = await client.request(method);
      assert.equal(error?.message, `${method} failed: see the gateway's log`);
      assert.equal(reasonOf(error), "method-failed");
    }
    assert.ok(logged.includes("module troubles.ts: trouble.throw: Error: no such thing"));
    const { payload } = await client.request("diagnostics.stability", { type: "method.failed" });
    assert.equal((payload as { count: number }).count, 2);
  });

  test("answer with 8 Mi characters at most", async (t) => {
    const client = await (await withTroubles(t)).connected();
    const { error } = await client.request("trouble.big");
    assert.match(error!.message, /its answer has 9437186 characters, 8388608 are allowed/);
  });
});

describe("a module that cannot be loaded", () => {
  for (const [what, text, words] of [
    ["throws", 'throw new Error("no database");', /no database/],
    ["has a mistake", "export default {", /Expected/i],
    [
      "exports nothing",
      "export const x = 1;",
      /its default export must be an object of methods, not undefined/,
    ],
    [
      "has a name of the gateway",
      method("node.mine"),
      /it defines node\.mine, and such names are the gateway's own/,
    ],
    ["has a bad name", method("mine"), /the name of a method must be words joined by dots/],
    ["has no scope", method("a.b", "{ external: false }"), /a\.b\.scope must be one of operator\.read/],
    [
      "does not say external",
      method("a.b", '{ scope: "node" }'),
      /a\.b\.external must be true .* not undefined/,
    ],
    [
      "has a type that there is none of",
      method(
        "a.b",
        '{ scope: "node", external: true, run() {}, params: { type: "object", properties: { n: { type: "int" } } } }',
      ),
      /a\.b\.params\.properties\.n\.type must be one of object, .*, not "int"/,
    ],
    [
      "has no time limit",
      method("a.b", '{ scope: "node", external: true, run() {}, timeoutMs: 0 }'),
      /a\.b\.timeoutMs/,
    ],
  ] as const) {
    test(`as it ${what}, is told of, and the gateway is there`, async (t) => {
      const { connected, logged, told } = await startGateway(t, {
        settings: { modules: [await moduleOf(t, text)] },
      });
      assert.equal((await (await connected()).request("health")).ok, true);
      const line = logged.find((one) => one.startsWith("module mine.ts cannot be loaded: "));
      assert.match(line ?? logged.join("\n"), words);
      const last = told.at(-1);
      assert.ok(last?.type === "modules" && words.test(last.troubles[0]!));
    });
  }

  test("as there is none, says what to do; once it is there it is loaded", async (t) => {
    const path = await moduleOf(t, "", "other.ts");
    const missing = join(path, "../mine.ts");
    const { connected, logged } = await startGateway(t, { settings: { modules: [missing] } });
    assert.match(logged.join("\n"), /mine\.ts is no file: correct it in gateway\.modules, or take it out/);
    await writeFile(missing, method("mine.hello", GOOD));
    const client = await connected();
    await until(async () => (await client.request("mine.hello")).ok || undefined);
    assert.ok(logged.includes("module mine.ts is there again"));
  });

  test("as it waits for ever, keeps the gateway waiting for three seconds", async (t) => {
    const startedAt = performance.now();
    const path = await moduleOf(
      t,
      "await new Promise((resolve) => setTimeout(resolve, 600_000)); export default {};",
    );
    const { connected, logged } = await startGateway(t, { settings: { modules: [path] } });
    assert.ok(performance.now() - startedAt < 10_000);
    assert.equal((await (await connected()).request("health")).ok, true);
    assert.match(logged.join("\n"), /is not loaded yet after 3 s/);
  });

  test("as another one has its method, leaves that one alone", async (t) => {
    const one = await moduleOf(t, method("mine.hello", GOOD));
    const { connected, logged } = await startGateway(t, {
      settings: { modules: [one, await moduleOf(t, method("mine.hello", GOOD), "second.ts")] },
    });
    assert.match(logged.join("\n"), /defines mine\.hello, and so does .*: rename one of them/);
    assert.equal((await (await connected()).request("mine.hello")).payload, "hello");
  });
});

function method(name: string, definition = GOOD): string {
  return `export default { ${JSON.stringify(name)}: ${definition} };`;
}
