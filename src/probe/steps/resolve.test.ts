import assert from "node:assert/strict";
import { promises as dns } from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import { afterEach, mock, test } from "node:test";
import { resolve } from "./resolve.ts";

afterEach(() => {
  mock.restoreAll();
  syncBuiltinESMExports();
});

/** What a name resolves to where the resolver knows an IPv4 address, and says this of IPv6 after so long. */
async function withIpv6Saying(code: string, afterMs: number) {
  let now = 0;
  const lookup = async (_: string, { family }: { family: number }) => {
    if (family === 4) return [{ address: "192.0.2.1", family }];
    now += afterMs;
    throw Object.assign(new Error(code), { code });
  };
  mock.method(performance, "now", () => now);
  mock.method(dns, "lookup", lookup as never);
  syncBuiltinESMExports();
  const { step, addresses } = await resolve("gateway.test", new AbortController().signal);
  assert.deepEqual(addresses, ["192.0.2.1"]);
  return step;
}

test("a name without an IPv6 address is as good as one with", async () => {
  const { verdict, detail } = await withIpv6Saying("ENOTFOUND", 20);
  assert.deepEqual([verdict, detail], ["ok", "gateway.test: IPv4 192.0.2.1; no IPv6"]);
});

test("that nobody knows of IPv6 is said, and no harm where it is said at once, as of a name in the hosts file", async () => {
  const { verdict, detail } = await withIpv6Saying("EAI_AGAIN", 1);
  assert.deepEqual([verdict, detail], ["ok", "gateway.test: IPv4 192.0.2.1; IPv6 unknown (EAI_AGAIN)"]);
});

test("a DNS server that swallows one of the two questions is warned of: clients ask both, and wait", async () => {
  const { verdict, detail } = await withIpv6Saying("EAI_AGAIN", 10_000);
  assert.equal(verdict, "warn");
  assert.match(detail, /IPv6 unknown \(EAI_AGAIN\); it took 10\.0 s, and clients wait as long/);
});
