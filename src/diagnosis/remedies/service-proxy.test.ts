import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "node:test";
import { actionsWith, fact, finds, hostWith, machineWith } from "../../../test/helpers/machine.ts";
import { parseSystemd } from "../../host/services.ts";
import { examine } from "../doctor.ts";
import { services } from "../facts/services.ts";
import { Ledger } from "./ledger.ts";
import { excludeServiceLoopback } from "./service-proxy.ts";

const SHOWN = [
  "Id=openclaw-gateway.service",
  "LoadState=loaded",
  "ActiveState=active",
  "SubState=running",
  'Environment=HTTP_PROXY=http://u:abcdefgh12345678@proxy:3128 NODE_USE_ENV_PROXY=1 "X=a b" NO_PROXY=.corp',
].join("\n");

/** A user service as systemd shows it, and a systemctl that writes down what it was asked, and answers `code`. */
async function setUp(t: TestContext, shown: string, code = 0) {
  const home = await mkdtemp(join(tmpdir(), "clawkit-unit-"));
  const asked = join(home, "asked");
  await writeFile(join(home, "systemctl"), `#!/bin/sh\necho "$*" >> '${asked}'\nexit ${code}\n`);
  await chmod(join(home, "systemctl"), 0o755);
  const path = process.env.PATH;
  process.env.PATH = `${home}${delimiter}${path}`;
  t.after(async () => {
    process.env.PATH = path;
    await rm(home, { recursive: true, force: true });
  });
  const found = parseSystemd(shown).map((one) => ({ ...one, manager: "systemd (user)" as const }));
  const machine = machineWith({ home, host: hostWith({ services: async () => found }) });
  // by itself a unit's proxy is only a possibility
  const examination = await examine(machine, [services, finds("proxy-capture-said")]);
  const plan = await excludeServiceLoopback.plan({ machine, examination, actions: actionsWith() });
  const dropIn = join(home, ".config/systemd/user/openclaw-gateway.service.d/90-clawkit-no-proxy.conf");
  const ledger = new Ledger(join(home, "state"), () => Date.now());
  return { plan, dropIn, ledger, asked: () => readFile(asked, "utf8"), examination };
}

test("a unit's own proxy is made to leave loopback alone, by a file of ours that undo takes away", async (t) => {
  const { plan, dropIn, ledger, asked, examination } = await setUp(t, SHOWN);
  assert.doesNotMatch(JSON.stringify([examination, plan]), /abcdefgh12345678/);
  assert.equal(plan?.risk, "disruptive");
  await ledger.carryOut("exclude-service-loopback", plan!);
  const list = ".corp,127.0.0.1,localhost,::1";
  assert.equal(
    await readFile(dropIn, "utf8"),
    `[Service]\nEnvironment="NO_PROXY=${list}" "no_proxy=${list}"\n`,
  );
  assert.equal(await asked(), "--user daemon-reload\n--user try-restart openclaw-gateway.service\n");
  await ledger.undo(undefined);
  await assert.rejects(readFile(dropIn), { code: "ENOENT" });
  // without the second restart the service went on with the environment of its start
  const both = "--user daemon-reload\n--user try-restart openclaw-gateway.service\n";
  assert.equal(await asked(), `${both}${both}`);
});

test("a systemd that does not take it leaves nothing of it behind", async (t) => {
  const { plan, dropIn, ledger } = await setUp(t, SHOWN, 1);
  await assert.rejects(ledger.carryOut("exclude-service-loopback", plan!), /daemon-reload failed/);
  await assert.rejects(readFile(dropIn), { code: "ENOENT" });
});

test("nothing is done where Node does not use the proxy, or loopback is excluded", async (t) => {
  for (const shown of [
    SHOWN.replace("NODE_USE_ENV_PROXY=1", ""),
    SHOWN.replace("NO_PROXY=.corp", "no_proxy=127.0.0.1"),
    SHOWN.replace(/HTTP_PROXY=\S+/, ""),
  ]) {
    const { plan, examination } = await setUp(t, shown);
    assert.equal(plan, undefined);
    assert.ok(!examination.facts.some(({ id }) => id === "service-proxy-captures"));
  }
});

test("the machine's own units are root's", async () => {
  const captured = fact("service-proxy-captures", { source: "systemd", detail: "clawkit.service: so" });
  const machine = machineWith({ uid: 1000 });
  const examination = await examine(machine, [finds(captured)]);
  assert.equal(
    await excludeServiceLoopback.plan({ machine, examination, actions: actionsWith() }),
    undefined,
  );
});
