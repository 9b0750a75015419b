import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hostWith, machineWith, NOW } from "../../../test/helpers/machine.ts";
import { parseLogLine } from "../../host/services.ts";
import type { ServiceFacts, ServiceLine } from "../../host/types.ts";
import { serviceLog } from "./service-log.ts";

const service: ServiceFacts = {
  manager: "systemd",
  name: "openclaw.service",
  isRunning: false,
  state: "failed",
};

function looking(lines: ServiceLine[] | undefined, changes: Partial<ServiceFacts> = {}) {
  const host = hostWith({
    services: async () => [{ ...service, ...changes }],
    serviceLog: async () => lines,
  });
  return serviceLog.look(machineWith({ host }));
}

const said = (text: string): ServiceLine => ({ at: NOW, text });

describe("the log of a service that does not run", () => {
  test("says why it ended, with its last line and when that was", async () => {
    const lines = [said("[gateway] starting..."), said("Gateway start blocked: set gateway.mode=local")];
    const at = new Date(NOW).toISOString();
    const found = await looking(lines);
    assert.deepEqual(
      found.map(({ id, at: when }) => [id, when]),
      [
        ["starting-said", at],
        ["start-blocked-said", at],
        ["last-line", at],
      ],
    );
    assert.equal(found[0]?.source, "log of openclaw.service");
  });

  test("says nothing of its clients, and nothing of the ports of others", async () => {
    const lines = [said("pairing required"), said("listen EADDRINUSE: address already in use :::9")];
    assert.deepEqual(
      (await looking(lines)).map(({ id }) => id),
      ["last-line"],
    );
  });

  test("that may not be seen was not looked at: that is not silence", async () => {
    await assert.rejects(
      looking(undefined),
      /nobody keeps it, or this user may not see it: openclaw\.service/,
    );
    assert.deepEqual(await looking([]), []);
  });

  test("is not read of one that runs", async () => {
    assert.deepEqual(await looking(undefined, { isRunning: true }), []);
  });
});

test("parseLogLine takes a line of short-unix, and nothing else", () => {
  assert.deepEqual(parseLogLine("1790077571.250000 host node[812]: Error: x: y"), [
    { at: 1790077571250, text: "Error: x: y" },
  ]);
  assert.deepEqual(parseLogLine("-- No entries --"), []);
});
