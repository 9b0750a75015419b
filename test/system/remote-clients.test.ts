import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { program, ROOT, TestClawkit, TOKEN } from "../helpers/clawkit.ts";
import { forgeries } from "../helpers/forgeries.ts";
import { TestHost, whyNoNamespaces } from "../helpers/network.ts";
import type { UpgradeOptions } from "../helpers/raw.ts";

const skip = process.env.CI ? false : whyNoNamespaces();

interface Saw {
  readonly hello?: { auth: { scopes: string[] } };
  readonly text?: string;
  readonly code: number;
  readonly reason: string;
}

function connect(host: TestHost | undefined, url: string, token: string, ...headers: string[]): Saw {
  const script = join(ROOT, "test/fixtures/programs/remote-client.ts");
  return JSON.parse(host!.exec(process.execPath, script, url, token, ...headers)) as Saw;
}

/** What a client was given that came as a new device, or as nobody in particular; or why it was given nothing. */
interface Given {
  readonly scopes?: readonly string[];
  readonly refused?: string;
  readonly status?: number;
  readonly closed?: number;
}
type Outcomes = Readonly<Record<string, { readonly device: Given; readonly nobody: Given }>>;

const FORGING = join(ROOT, "test/fixtures/programs/forging-client.ts");

const argumentsOf = (address: string, clawkit: TestClawkit, cases: Record<string, UpgradeOptions>) =>
  [process.execPath, FORGING, address, String(clawkit.port), TOKEN, JSON.stringify(cases)] as const;

/** Nobody but a person may pair it, and without an identity it may read. */
const AS_REMOTE = { device: { refused: "PAIRING_REQUIRED" }, nobody: { scopes: ["operator.read"] } };

function assertNeverLocal(outcomes: Outcomes): { asRemote: string[]; refused: string[] } {
  const asRemote: string[] = [];
  const refused: string[] = [];
  for (const [name, given] of Object.entries(outcomes)) {
    if (given.device.status !== undefined || given.device.closed !== undefined) {
      assert.deepEqual(given.nobody, given.device, name);
      refused.push(name);
    } else {
      assert.deepEqual(given, AS_REMOTE, name);
      asRemote.push(name);
    }
  }
  return { asRemote, refused };
}

describe("a client on another host", { skip }, () => {
  test("gets less than a local one from the built-in gateway, whatever it claims", async () => {
    using host = new TestHost();
    await using clawkit = await TestClawkit.run({ gateway: { bind: "lan" } });
    const url = `ws://${host.outside}:${clawkit.port}`;
    const plain = connect(host, url, TOKEN);
    const forged = connect(host, url, TOKEN, "X-Forwarded-For=127.0.0.1", "Forwarded=for=127.0.0.1");
    assert.deepEqual(plain.hello?.auth.scopes, ["operator.read"]);
    assert.deepEqual(forged.hello?.auth.scopes, ["operator.read"]);
  });

  test("is never taken for one of this machine, whatever it sends", async (t) => {
    using host = new TestHost();
    await using clawkit = await TestClawkit.run({ gateway: { bind: "lan" } });
    const cases = forgeries(clawkit.port);
    const run = argumentsOf(host.outside, clawkit, cases);
    const outcomes = JSON.parse(host.exec(...run)) as Outcomes;
    assert.deepEqual(Object.keys(outcomes), Object.keys(cases));
    const { asRemote, refused } = assertNeverLocal(outcomes);
    t.diagnostic(`as a remote one: ${asRemote.length}; not let in at all: ${refused.join(", ")}`);
    assert.ok(asRemote.includes("everything at once"));
    // this machine's own address is no address of the loopback
    const [command, ...rest] = run;
    const own = await clawkit.spawnAndWait(command, rest);
    assertNeverLocal(JSON.parse(own.stdout) as Outcomes);
    // so the test can see the difference
    const [, ...local] = argumentsOf("127.0.0.1", clawkit, { "nothing at all": {} });
    const here = JSON.parse((await clawkit.spawnAndWait(process.execPath, local)).stdout) as Outcomes;
    const all = { scopes: ["operator.admin", "operator.read"] };
    assert.deepEqual(
      [here["nothing at all"]!.device.scopes, here["nothing at all"]!.nobody.scopes?.toSorted()],
      [all.scopes, all.scopes],
    );
  });

  test("behind a proxy on this machine is not taken for one of it either, listed or not", async () => {
    for (const trustedProxies of [[], ["127.0.0.1"]]) {
      await using clawkit = await TestClawkit.run({ gateway: { trustedProxies } });
      const forwarding = Object.fromEntries(
        Object.entries(forgeries(clawkit.port)).filter(([, { lines = [] }]) =>
          lines.some((line) =>
            /^(x-forwarded|forwarded|x-real|x-cl|cf-|true-|fastly|tailscale|via)/i.test(line),
          ),
        ),
      );
      const [command, ...rest] = argumentsOf("127.0.0.1", clawkit, forwarding);
      const outcomes = JSON.parse((await clawkit.spawnAndWait(command, rest)).stdout) as Outcomes;
      const { asRemote } = assertNeverLocal(outcomes);
      assert.equal(asRemote.length > 0, trustedProxies.length > 0, `${trustedProxies}`);
    }
  });

  test("is named to a gateway that trusts the edge, without what it forged", async () => {
    using host = new TestHost();
    const upstream = { type: "command", command: program("echo"), trustsEdge: true };
    await using clawkit = await TestClawkit.run({ gateway: { bind: "lan", upstream } });
    const saw = connect(
      host,
      `ws://${host.outside}:${clawkit.port}`,
      "-",
      "X-Forwarded-For=127.0.0.1",
      "X-Real-IP=127.0.0.1",
    );
    const headers = JSON.parse(saw.text!) as string[];
    const forwarding = headers.filter((_, i) => /^(x-|forwarded)/i.test(headers[i - (i % 2)]!));
    assert.deepEqual(forwarding, ["X-Forwarded-For", host.inside, "X-Forwarded-Proto", "http"]);
  });

  test("a gateway that does not trust the edge cannot be opened to other hosts at all", async () => {
    const upstream = { type: "command", command: program("echo") };
    await using clawkit = await TestClawkit.create({ gateway: { bind: "lan", upstream } });
    const result = await clawkit.cli("gateway", "start");
    assert.equal(result.code, 78);
    assert.match(result.stderr, /gateway\.upstream\.trustsEdge/);
  });
});
