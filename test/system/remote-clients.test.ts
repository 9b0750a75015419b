import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { program, ROOT, TestClawkit, TOKEN } from "../helpers/clawkit.ts";
import { TestHost, whyNoNamespaces } from "../helpers/network.ts";

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
