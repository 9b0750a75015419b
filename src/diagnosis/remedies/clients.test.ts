import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { freePort } from "../../../test/helpers/clawkit.ts";
import { actionsWith, finds, machineWith } from "../../../test/helpers/machine.ts";
import { examine } from "../doctor.ts";
import { clientSettings } from "../facts/client-settings.ts";
import type { Machine } from "../machine.ts";
import { repair } from "../repair.ts";
import { Ledger } from "./ledger.ts";

/** A home with files of OpenClaw, on a machine whose gateway answers at 28789. */
async function homeWith(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  changes: Partial<Machine> = {},
) {
  const folder = await mkdtemp(join(tmpdir(), "clawkit-clients-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files))
    await writeFile(join(folder, name), text, { mode: 0o600 });
  const openclawConfigPath = join(folder, "openclaw.json");
  const machine = machineWith({ openclawDirs: [folder], openclawConfigPath, ...changes });
  const ledger = new Ledger(join(folder, "state"), () => Date.now());
  const fix = (facts = ["http-answers", "healthz-ok"]) =>
    repair({
      machine: async () => machine,
      examine: (one) => examine(one, [clientSettings, finds(...facts)]),
      actions: actionsWith(),
      ledger,
      consent: async () => true,
      progress: () => undefined,
      isDryRun: false,
      interrupted: new AbortController().signal,
    });
  const read = () => Promise.all(Object.keys(files).map((name) => readFile(join(folder, name), "utf8")));
  return { fix, read, ledger };
}

describe("a client's address that leads nowhere", () => {
  test("is made the gateway's wherever a file says it, and taken back byte for byte", async (t) => {
    const dead = `ws://127.0.0.1:${await freePort()}`;
    const files = {
      "openclaw.json": `{\n  // mine\n  gateway: { mode: "remote", remote: { url: "${dead}", token: "abcdefgh12345678" } },\n}\n`,
      ".env": `A=1\r\nOPENCLAW_GATEWAY_URL='${dead}/?token=abcdefgh12345678' # mine\r\n`,
    };
    const { fix, read, ledger } = await homeWith(t, files);
    const { before, results, after } = await fix();
    assert.deepEqual(
      before.diagnosis.causes.map(({ id, verdict }) => `${id} ${verdict}`),
      ["wrong-url-or-port likely"],
    );
    assert.deepEqual(
      results.map(({ id, risk, outcome, helped }) => ({ id, risk, outcome, helped })),
      [{ id: "correct-client-url", risk: "disruptive", outcome: "applied", helped: true }],
    );
    assert.equal(after.diagnosis.verdict, "healthy");
    assert.equal(results[0]?.diff[0], `~ gateway.remote.url: ${dead} → ws://127.0.0.1:28789`);
    assert.doesNotMatch(JSON.stringify([results, await ledger.entries()]), /abcdefgh12345678/);
    assert.deepEqual(await read(), [
      files["openclaw.json"].replace(dead, "ws://127.0.0.1:28789"),
      files[".env"].replace(dead, "ws://127.0.0.1:28789"),
    ]);
    await ledger.undo(undefined);
    assert.deepEqual(await read(), Object.values(files));
  });

  test("is left where no gateway answers, and for a client that was given another port", async (t) => {
    const config = { "openclaw.json": '{ env: { OPENCLAW_GATEWAY_URL: "ws://127.0.0.1:9" } }' };
    const away = await homeWith(t, config);
    assert.deepEqual((await away.fix(["connect-refused"])).results, []);
    const asked = await homeWith(t, config, { configuredPort: async () => 1 });
    assert.deepEqual((await asked.fix()).results, []);
    assert.deepEqual(await asked.read(), Object.values(config));
  });
});

test("a proxy of OpenClaw's is made to leave loopback alone, and that is taken back", async (t) => {
  const files = {
    "openclaw.json": '{ proxy: { proxyUrl: "http://10.0.0.1:3128", loopbackMode: "proxy" } } // mine',
  };
  const { fix, read, ledger } = await homeWith(t, files);
  const { before, results, after } = await fix();
  assert.equal(before.diagnosis.causes[0]?.id, "proxy-captures-loopback");
  assert.deepEqual(results[0]?.diff, ['~ proxy.loopbackMode: "proxy" → "gateway-only"']);
  assert.deepEqual([results[0]?.helped, after.diagnosis.verdict], [true, "healthy"]);
  await ledger.undo(undefined);
  assert.deepEqual(await read(), Object.values(files));
});
