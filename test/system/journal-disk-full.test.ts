import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fillBytes, mountSmall, whyNoMounts } from "../faults/mounts.ts";
import { sleep, TestClawkit, TOKEN, until } from "../helpers/clawkit.ts";
import { RawGatewayClient } from "../helpers/raw-gateway-client.ts";
import { exits } from "../helpers/results.ts";

const skip = process.env.CI ? false : whyNoMounts();

describe("a disk without room for the journal", { skip }, () => {
  test("requests are refused and say why, nobody is closed, and all goes on when there is room", async () => {
    await using clawkit = await TestClawkit.create();
    using stack = new DisposableStack();
    mountSmall(stack, clawkit.stateDir, "size=24m");
    await clawkit.writeConfig({});
    await clawkit.runForeground();
    await clawkit.ready();
    using client = new RawGatewayClient(clawkit.url);
    assert.equal((await client.connect({ auth: { token: TOKEN }, scopes: ["operator.admin"] })).ok, true);
    const note = (text: string) => client.request("system-event", { text });
    const textNow = async () => {
      const { payload } = await client.request("system-presence");
      return (payload as { text?: string }[])[0]?.text;
    };
    assert.equal((await note("written before")).ok, true);

    await fillBytes(clawkit.stateDir);
    // what SQLite has of the disk it uses first
    let written = "written before";
    const refused = await until(async () => {
      const text = `written ${Math.random()}`;
      const answer = await note(text);
      if (answer.ok) written = text;
      return answer.ok ? undefined : answer;
    }, 60_000);
    const { code, message, details, retryable } = refused.error!;
    assert.deepEqual([code, retryable, details], ["UNAVAILABLE", true, { reason: "journal-unwritable" }]);
    assert.match(message, /journal cannot be written: .*full.*; nothing was done/);

    await rm(join(clawkit.stateDir, "filling"));
    assert.equal(await until(textNow), written, "what was refused was done");
    process.kill((await clawkit.status()).gateway.pid!, "SIGKILL");
    assert.equal(await textNow(), written, "what was refused was done by the next gateway");
    assert.equal((await note("written after")).ok, true);
    assert.equal(
      await Promise.race([client.ended.then(() => "closed"), sleep(50).then(() => "open")]),
      "open",
    );

    await fillBytes(clawkit.stateDir);
    process.kill((await clawkit.status()).gateway.pid!, "SIGKILL");
    assert.equal((await client.ended).code, 1012);
    await clawkit.untilStatus(({ state }) => state === "healthy");
    using newcomer = new RawGatewayClient(clawkit.url);
    assert.equal(
      (await newcomer.connect({ auth: { token: TOKEN } })).ok,
      true,
      "no gateway without a journal",
    );
    await exits(0, clawkit.cli("gateway", "stop")); // its socket goes with the mount
  });
});
