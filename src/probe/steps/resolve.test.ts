import assert from "node:assert/strict";
import { promises as dns } from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import { afterEach, mock, test } from "node:test";
import { resolve } from "./resolve.ts";

afterEach(() => {
  mock.restoreAll();
  syncBuiltinESMExports();
});

/** A resolver of the system that knows an IPv4 address, and says this of IPv6. */
function withIpv6Saying(code: string): void {
  const lookup = async (_: string, { family }: { family: number }) => {
    if (family === 4) return [{ address: "192.0.2.1", family }];
    throw Object.assign(new Error(code), { code });
  };
  mock.method(dns, "lookup", lookup as never);
  syncBuiltinESMExports();
}

test("a name without an IPv6 address is as good as one with", async () => {
  withIpv6Saying("ENOTFOUND");
  const { step, addresses } = await resolve("gateway.test", new AbortController().signal);
  assert.deepEqual([step.verdict, addresses], ["ok", ["192.0.2.1"]]);
  assert.equal(step.detail, "gateway.test: IPv4 192.0.2.1; no IPv6");
});

test("a DNS server that answers one of the two questions only is warned of: clients ask both", async () => {
  withIpv6Saying("EAI_AGAIN");
  const { step, addresses } = await resolve("gateway.test", new AbortController().signal);
  assert.deepEqual([step.verdict, step.data?.ipv6Error, addresses], ["warn", "EAI_AGAIN", ["192.0.2.1"]]);
  assert.match(step.detail, /IPv6 unknown \(EAI_AGAIN after \d+ ms\); clients that ask for both/);
});
