import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { freePort } from "../../../test/helpers/clawkit.ts";
import { machineWith } from "../../../test/helpers/machine.ts";
import { localTarget } from "../target.ts";
import { clientSettings } from "./client-settings.ts";
import { placesOf } from "./variable-places.ts";

describe("OpenClaw's files about its clients", () => {
  const server = createServer((_, response) => response.end("here"));
  let plainPort: number;
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    plainPort = (server.address() as AddressInfo).port;
  });
  after(() => server.close());

  /** What is found where the gateway should be at 28789. */
  async function look(t: TestContext, config: unknown, dotenv = ""): Promise<string[]> {
    const folder = await mkdtemp(join(tmpdir(), "clawkit-clients-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const openclawConfigPath = join(folder, "openclaw.json");
    const text = typeof config === "string" ? config : JSON.stringify(config);
    await writeFile(openclawConfigPath, text);
    await writeFile(join(folder, ".env"), dotenv);
    const target = localTarget(28789, false);
    const facts = await clientSettings.look(
      machineWith({ openclawDirs: [folder], openclawConfigPath, target }),
    );
    return facts.map(({ id, detail, source }) => `${source.slice(folder.length + 1)} ${id}: ${detail}`);
  }

  const remote = (url: string, more: object = {}) => ({
    gateway: { mode: "remote", remote: { url, ...more } },
  });

  test("that send them to a port on which nobody listens", async (t) => {
    const port = await freePort();
    const url = `ws://127.0.0.1:${port}`;
    const says = (name: string) => `${name} sends clients to 127.0.0.1:${port}, where nobody listens`;
    assert.deepEqual(await look(t, remote(url)), [
      `openclaw.json client-url-wrong: ${says("gateway.remote.url")}`,
    ]);
    assert.deepEqual(await look(t, { env: { vars: { OPENCLAW_GATEWAY_URL: url } } }), [
      `openclaw.json client-url-wrong: ${says("env.vars.OPENCLAW_GATEWAY_URL")}`,
    ]);
    assert.deepEqual(await look(t, {}, `A=1\nexport OPENCLAW_GATEWAY_URL="${url}"\n`), [
      `.env client-url-wrong: ${says("OPENCLAW_GATEWAY_URL")}`,
    ]);
  });

  test("that send them with TLS to where there is none, or to no address", async (t) => {
    const [scheme] = await look(t, remote(`wss://127.0.0.1:${plainPort}`));
    assert.match(scheme!, /says wss:\/\/, and 127\.0\.0\.1:\d+ does not speak TLS$/);
    assert.match((await look(t, remote("not an address")))[0]!, /gateway\.remote\.url is no address/);
  });

  const fine: [what: string, config: () => unknown][] = [
    ["to the gateway", () => remote("ws://localhost:28789")],
    ["to what answers", () => remote(`ws://127.0.0.1:${plainPort}`)],
    ["to another machine", () => remote("wss://gateway.example.org")],
    [
      "nowhere, as it is no client",
      () => ({ gateway: { mode: "local", remote: { url: "ws://127.0.0.1:9" } } }),
    ],
    ["through a tunnel of OpenClaw's own", () => remote("ws://127.0.0.1:9", { transport: "ssh" })],
    ["through a tunnel that is named", () => remote("ws://127.0.0.1:9", { sshTarget: "u@h" })],
    ["nobody knows where: it is no JSON5", () => "{ broken"],
    ["nowhere: it is empty", () => "null"],
  ];
  for (const [where, config] of fine) {
    test(`that send them ${where}`, async (t) => assert.deepEqual(await look(t, config()), []));
  }

  const proxies: [mode: string | undefined, proxyUrl: string | undefined, isFound: boolean][] = [
    ["block", "http://127.0.0.1:3128", true],
    ["proxy", "http://proxy.example.org:3128", true],
    ["proxy", "http://127.0.0.1:3128", false],
    ["gateway-only", "http://proxy.example.org:3128", false],
    [undefined, "http://proxy.example.org:3128", false],
    ["block", undefined, false],
  ];
  for (const [loopbackMode, proxyUrl, isFound] of proxies) {
    test(`with a proxy at ${proxyUrl} and the loopback mode ${loopbackMode}`, async (t) => {
      const found = await look(t, { proxy: { enabled: true, proxyUrl, loopbackMode } });
      assert.deepEqual(found.length, isFound ? 1 : 0);
      if (isFound) assert.match(found[0]!, /^openclaw\.json openclaw-proxy-captures: proxy\.loopbackMode/);
    });
  }
});

test("a variable is found in the files that shells and systemd read", async (t) => {
  const home = await mkdtemp(join(tmpdir(), "clawkit-home-"));
  t.after(() => rm(home, { recursive: true, force: true }));
  await mkdir(join(home, ".config", "environment.d"), { recursive: true });
  await mkdir(join(home, ".config", "fish"));
  await writeFile(
    join(home, ".bashrc"),
    "# OPENCLAW_GATEWAY_URL=no\nX_OPENCLAW_GATEWAY_URL=no\n  export OPENCLAW_GATEWAY_URL=a\n",
  );
  await writeFile(join(home, ".config", "environment.d", "90-own.conf"), "OPENCLAW_GATEWAY_URL=b\n");
  await writeFile(join(home, ".config", "fish", "config.fish"), "set -gx OPENCLAW_GATEWAY_URL c\n");
  const places = await placesOf("OPENCLAW_GATEWAY_URL", machineWith({ home }));
  assert.deepEqual(
    places.map((place) => place.slice(home.length + 1)),
    [".bashrc:3", ".config/fish/config.fish:1", ".config/environment.d/90-own.conf:1"],
  );
});
