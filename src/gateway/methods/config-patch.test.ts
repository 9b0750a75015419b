import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { describe, it, type TestContext } from "node:test";
import { checkFramesOfEachTest } from "../../../test/helpers/gateway-frames.ts";
import { startGateway, TOKEN } from "../../../test/helpers/gateway-rig.ts";

checkFramesOfEachTest();

const BEFORE = `// mine
{ gateway: { port: 18789, auth: { token: "${TOKEN}" } } }
`;

/** A gateway with that config, an admin, and what it read of it. */
async function start(t: TestContext) {
  const rig = await startGateway(t);
  const path = rig.settings.configPath;
  await writeFile(path, BEFORE);
  const client = await rig.connected();
  const { hash: baseHash } = (await client.request("config.get")).payload as { hash: string };
  return { rig, path, client, baseHash, text: () => readFile(path, "utf8") };
}

describe("config.patch", () => {
  it("changes what it names, keeps the rest and a copy, and tells the hash of it", async (t) => {
    const { path, client, baseHash, text } = await start(t);
    const { payload } = await client.request("config.patch", { raw: "{gateway: {port: 18790}}", baseHash });
    assert.equal(await text(), BEFORE.replace("18789", "18790"));
    assert.equal(await readFile(`${path}.before-patch`, "utf8"), BEFORE);
    const { hash } = (await client.request("config.get")).payload as { hash: string };
    assert.partialDeepStrictEqual(payload, { ok: true, hash, restart: { required: true } });
    assert.ok(!JSON.stringify(payload).includes(TOKEN));
  });

  it("leaves a secret in the config, and in no file besides", async (t) => {
    const { rig, client, baseHash, text } = await start(t);
    const secret = "another-secret-of-some-length";
    const raw = JSON.stringify({ gateway: { auth: { token: secret } } });
    assert.equal((await client.request("config.patch", { raw, baseHash })).ok, true);
    assert.ok((await text()).includes(secret));
    for (const end of ["", "-wal"])
      assert.ok(!(await readFile(`${rig.settings.journalPath}${end}`)).includes(secret), `journal${end}`);
    assert.ok(!rig.logged.join().includes(secret));
  });

  it("of what was changed meanwhile is refused, also between two that come at once", async (t) => {
    const { client, baseHash, text } = await start(t);
    const both = [18790, 18791].map((port) =>
      client.request("config.patch", { raw: JSON.stringify({ gateway: { port } }), baseHash }),
    );
    const [one, two] = await Promise.all(both);
    assert.equal(one!.ok, true);
    assert.equal(two!.error?.message, "config changed since last load; re-run config.get and retry");
    assert.match(await text(), /18790/);
  });

  for (const [what, params, problem] of [
    ["without a hash", { raw: "{}" }, /base hash required/],
    ["that is no object", { raw: "[1]" }, /raw must be an object/],
    ["with an unknown key", { raw: "{gateway: {prot: 1}}" }, /prot/],
    ["with a wrong value", { raw: "{gateway: {port: 0}}" }, /port/],
    ["that is no JSON5", { raw: "{" }, /not JSON5/],
  ] as const) {
    it(`${what} is refused, and nothing is written`, async (t) => {
      const { client, baseHash, text } = await start(t);
      const sent = what === "without a hash" ? params : { ...params, baseHash };
      const { error } = await client.request("config.patch", sent);
      assert.equal(error?.code, "INVALID_REQUEST");
      assert.match(error.message, problem);
      assert.equal(await text(), BEFORE);
    });
  }

  it("that changes nothing writes nothing", async (t) => {
    const { client, baseHash } = await start(t);
    const { payload } = await client.request("config.patch", { raw: "{gateway: {port: 18789}}", baseHash });
    assert.partialDeepStrictEqual(payload, { ok: true, noop: true, hash: baseHash });
  });
});

describe("config.schema", () => {
  it("is that of our config", async (t) => {
    const { client } = await start(t);
    const { payload } = await client.request("config.schema");
    assert.ok("gateway" in (payload as { schema: { properties: object } }).schema.properties);
  });
});
