import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { machineWith } from "../../../test/helpers/machine.ts";
import { parseTarget } from "../target.ts";
import { environment } from "./environment.ts";

const PROXY = "http://u:abcdefgh12345678@proxy.example.org:3128";

async function look(env: Record<string, string>, url = "ws://127.0.0.1:28789") {
  return await environment.look(machineWith({ env, target: parseTarget(url) }));
}

describe("the environment", () => {
  const cases: [what: string, env: Record<string, string>, ids: string[], url?: string][] = [
    ["says nothing", {}, []],
    ["says nothing in empty variables", { OPENCLAW_GATEWAY_URL: "", HTTP_PROXY: "" }, []],
    ["sends clients here", { OPENCLAW_GATEWAY_URL: "ws://127.0.0.1:28789" }, []],
    ["sends clients here by name", { OPENCLAW_GATEWAY_URL: "ws://localhost:28789/" }, []],
    [
      "sends clients to another port",
      { OPENCLAW_GATEWAY_URL: "ws://127.0.0.1:1" },
      ["url-variable-elsewhere"],
    ],
    [
      "sends clients to another machine",
      { OPENCLAW_GATEWAY_URL: "ws://10.0.0.5:28789" },
      ["url-variable-remote"],
    ],
    ["sends clients here by the other family", { OPENCLAW_GATEWAY_URL: "ws://[::1]:28789" }, []],
    [
      "sends clients here with TLS",
      { OPENCLAW_GATEWAY_URL: "wss://127.0.0.1:28789" },
      ["url-variable-scheme"],
    ],
    ["has no URL for a URL", { OPENCLAW_GATEWAY_URL: "gateway" }, ["url-variable-broken"]],
    ["has a proxy", { HTTP_PROXY: PROXY }, ["proxy-without-exclusion"]],
    ["has a proxy in small letters", { http_proxy: PROXY }, ["proxy-without-exclusion"]],
    ["has a proxy for TLS, and is asked without", { HTTPS_PROXY: PROXY, ALL_PROXY: PROXY }, []],
    [
      "has a proxy that Node uses",
      { HTTP_PROXY: PROXY, NODE_USE_ENV_PROXY: "1" },
      ["proxy-without-exclusion", "proxy-in-force"],
    ],
    ["has a proxy, not for here", { HTTP_PROXY: PROXY, NO_PROXY: "example.org, 127.0.0.1" }, []],
    ["has a proxy for nobody", { HTTP_PROXY: PROXY, no_proxy: "*" }, []],
    ["has a proxy, and another machine is asked", { HTTP_PROXY: PROXY }, [], "ws://10.0.0.5:28789"],
    // Node's own rules: https://nodejs.org/docs/latest-v24.x/api/http.html, "NO_PROXY format"
    ["has a proxy, not for this port", { HTTP_PROXY: PROXY, NO_PROXY: "127.0.0.1:28789" }, []],
    ["has a proxy, and a short heap", { NODE_OPTIONS: "--max-old-space-size=64" }, ["heap-limit-low"]],
    ["has a heap that is enough", { NODE_OPTIONS: "--max-old-space-size=2048" }, []],
  ];
  for (const [what, env, ids, url] of cases) {
    test(what, async () => {
      assert.deepEqual(
        (await look(env, url)).map(({ id }) => id),
        ids,
      );
    });
  }

  test("shows no secret of its variables", async () => {
    const url = "ws://u:abcdefgh12345678@10.0.0.5:28789/?token=abcdefgh12345678";
    const facts = await look({ OPENCLAW_GATEWAY_URL: url, HTTP_PROXY: PROXY, NODE_USE_ENV_PROXY: "1" });
    assert.equal(facts.length, 3);
    assert.doesNotMatch(JSON.stringify(facts), /abcdefgh12345678/);
  });
});
