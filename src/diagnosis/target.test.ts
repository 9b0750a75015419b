import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { localTarget, parseTarget } from "./target.ts";

describe("parseTarget", () => {
  const addresses: [
    text: string,
    url: string,
    host: string,
    port: number,
    isTls: boolean,
    isLocal: boolean,
  ][] = [
    ["ws://127.0.0.1:28789", "ws://127.0.0.1:28789", "127.0.0.1", 28789, false, true],
    ["wss://gateway.example.org", "wss://gateway.example.org", "gateway.example.org", 443, true, false],
    ["ws://gateway.example.org", "ws://gateway.example.org", "gateway.example.org", 80, false, false],
    ["https://gateway.example.org/ui", "wss://gateway.example.org", "gateway.example.org", 443, true, false],
    ["http://localhost:28789/", "ws://localhost:28789", "localhost", 28789, false, true],
    ["WS://[::1]:28789", "ws://[::1]:28789", "::1", 28789, false, true],
    ["localhost:28789", "ws://localhost:28789", "localhost", 28789, false, true],
    ["10.0.0.5:28789", "ws://10.0.0.5:28789", "10.0.0.5", 28789, false, false],
  ];
  for (const [text, url, host, port, isTls, isLocal] of addresses) {
    test(`reads ${text}`, () => {
      const { path: _, ...target } = parseTarget(text);
      assert.deepEqual(target, { url, host, port, isTls, isLocal });
    });
  }

  test("keeps the path of a proxy, where a WebSocket is asked for", () => {
    assert.equal(parseTarget("wss://example.org/gw?a=b").path, "/gw");
    assert.equal(parseTarget("ws://example.org").path, "/");
  });

  test("keeps no secret of an address", () => {
    const target = parseTarget("ws://user:hunter2hunter2@10.0.0.5:28789/?token=abcdefgh");
    assert.doesNotMatch(JSON.stringify(target), /hunter2|abcdefgh|user/);
  });

  for (const text of ["", "ftp://10.0.0.5", "ws://", "ws://a b", "ws://10.0.0.5:99999", "://"]) {
    test(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseTarget(text), {
        code: "USAGE",
        message: /^--url must be a ws:\/\/ or wss:\/\//,
      });
    });
  }
});

test("localTarget is this machine's own gateway", () => {
  const [plain, secure] = [localTarget(28789, false), localTarget(28789, true)];
  assert.deepEqual([plain.url, plain.isLocal, plain.isTls], ["ws://127.0.0.1:28789", true, false]);
  assert.deepEqual([secure.url, secure.isTls], ["wss://127.0.0.1:28789", true]);
});

describe("localTarget", () => {
  for (const [bind, url] of [
    ["loopback", "ws://127.0.0.1:28789"],
    ["lan", "ws://127.0.0.1:28789"],
    ["0.0.0.0", "ws://127.0.0.1:28789"],
    ["::", "ws://[::1]:28789"],
    ["::1", "ws://[::1]:28789"],
    ["192.0.2.7", "ws://192.0.2.7:28789"],
  ] as const) {
    test(`of ${bind} is ${url}`, () => assert.equal(localTarget(28789, false, bind).url, url));
  }
});
