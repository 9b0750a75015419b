import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { describe, test } from "node:test";
import { hostWith, machineWith } from "../../../test/helpers/machine.ts";
import { localTarget, parseTarget } from "../target.ts";
import { network } from "./network.ts";

async function found(url: string, host = hostWith()): Promise<string[]> {
  return (await network.look(machineWith({ host, target: parseTarget(url) }))).map(({ id }) => id);
}

describe("names", () => {
  // never a name (RFC 6761 §6.4), always loopback (§6.3)
  test("that do not exist are found out, and localhost is looked up", async () => {
    assert.deepEqual(await found("ws://no-such-host.invalid:18789"), ["name-unresolved"]);
    assert.deepEqual(await found("ws://localhost:18789"), ["name-resolved"]);
  });

  test("are not looked up where there is an address", async () => {
    assert.deepEqual(await found("ws://192.0.2.7:18789"), []);
    assert.deepEqual(await found("ws://127.0.0.1:18789"), []);
  });
});

test("loopback without IPv6 is said to who asks for ::1, and nobody else", async () => {
  const addresses = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  const expected = addresses.some(({ address }) => address === "::1") ? [] : ["loopback-without-ipv6"];
  assert.deepEqual(await found("ws://[::1]:18789"), expected);
});

test("a rule for the port is said of this machine's ports only", async () => {
  const host = hostWith({ portRule: async () => ({ kind: "excluded", detail: "kept" }) });
  const look = await network.look(machineWith({ host, target: localTarget(18789, false) }));
  assert.deepEqual(look, [{ id: "port-excluded", detail: "kept", source: "port rules" }]);
  assert.deepEqual(await found("ws://192.0.2.7:18789", host), []);
});
