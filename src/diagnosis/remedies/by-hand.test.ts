import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fact, finds, machineWith } from "../../../test/helpers/machine.ts";
import { examine } from "../doctor.ts";
import type { Machine } from "../machine.ts";
import { localTarget } from "../target.ts";
import type { Fact } from "../types.ts";

/** The first remedy of a cause. */
async function first(cause: string, changes: Partial<Machine>, ...facts: (Fact | string)[]) {
  const { diagnosis } = await examine(machineWith(changes), [finds(...facts)]);
  const [remedy] = diagnosis.causes.find(({ id }) => id === cause)!.remedies;
  return remedy!;
}

describe("the exact lines for this machine", () => {
  test("of a variable that sends clients elsewhere, with the file that sets it", async (t) => {
    const home = await mkdtemp(join(tmpdir(), "clawkit-home-"));
    t.after(() => rm(home, { recursive: true, force: true }));
    await writeFile(join(home, ".profile"), "\nexport OPENCLAW_GATEWAY_URL=ws://127.0.0.1:1\n");
    const { text, commands } = await first("wrong-url-or-port", { home }, "url-variable-elsewhere");
    assert.match(text, new RegExp(`change it in ${home}/\\.profile:2, and in this shell`));
    assert.deepEqual(commands, [
      "export OPENCLAW_GATEWAY_URL=ws://127.0.0.1:28789",
      "unset OPENCLAW_GATEWAY_URL",
    ]);
  });

  test("of the same on Windows", async () => {
    const { commands } = await first("wrong-url-or-port", { platform: "win32" }, "url-variable-elsewhere");
    assert.deepEqual(commands, [
      "setx OPENCLAW_GATEWAY_URL ws://127.0.0.1:28789",
      '$env:OPENCLAW_GATEWAY_URL = "ws://127.0.0.1:28789"',
    ]);
  });

  test("of a client that was given another port", async () => {
    const target = localTarget(1, false);
    const { text } = await first(
      "wrong-url-or-port",
      { target },
      "connect-refused",
      "configured-port-answers",
    );
    assert.equal(text, "Give the client this address: ws://127.0.0.1:28789");
  });

  const captured = ["proxy-without-exclusion", "proxy-in-force"];

  test("of a proxy, in the spelling that Node takes", async () => {
    const posix = await first("proxy-captures-loopback", {}, ...captured);
    assert.deepEqual(posix.commands, [`export NO_PROXY="\${NO_PROXY:+$NO_PROXY,}127.0.0.1,localhost,::1"`]);
    const small = await first("proxy-captures-loopback", { env: { no_proxy: "a" } }, ...captured);
    assert.deepEqual(small.commands, [`export no_proxy="\${no_proxy:+$no_proxy,}127.0.0.1,localhost,::1"`]);
    const env = { NO_PROXY: "example.org" };
    const windows = await first("proxy-captures-loopback", { platform: "win32", env }, ...captured);
    assert.equal(windows.commands?.[0], 'setx NO_PROXY "example.org,127.0.0.1,localhost,::1"');
  });

  test("of a unit that was switched off", async () => {
    const off = (detail: string, source: string) => fact("service-switched-off", { detail, source });
    const away = ["port-free", "connect-refused"];
    const disabled = await first("not-listening", {}, ...away, off("clawkit.service: disabled", "systemd"));
    assert.deepEqual(disabled.commands, ["systemctl enable --now clawkit.service"]);
    const masked = await first(
      "not-listening",
      {},
      ...away,
      off("openclaw-gateway.service: masked", "systemd (user)"),
    );
    assert.deepEqual(masked.commands, [
      "systemctl --user unmask openclaw-gateway.service",
      "systemctl --user enable --now openclaw-gateway.service",
    ]);
  });

  // On a machine with nothing on it the first thing that helps was `openclaw gateway run`: there is no openclaw.
  test("of a machine on which nothing is installed", async () => {
    const away = ["port-free", "connect-refused"];
    assert.deepEqual((await first("not-listening", {}, ...away)).commands, ["clawkit gateway start"]);
    const openclaw = { isOpenClaw: async () => true };
    assert.deepEqual((await first("not-listening", openclaw, ...away)).commands, ["openclaw gateway run"]);
  });

  // Its owner was sent to `openclaw doctor`, which knows nothing of it.
  test("of ClawKit's own config", async () => {
    const broken = fact("own-config-broken", { source: "/home/u/.clawkit/config.json5" });
    const { text, commands } = await first("config-invalid", {}, broken);
    assert.match(text, /config\.json5/);
    assert.deepEqual(commands, ["clawkit config validate"]);
  });
});
