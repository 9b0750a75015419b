import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { endToEndHeaders, headerValue, headerValues, listTokens, withoutHeaders } from "./headers.ts";

const headers = ["Host", "a", "X-Note", "one", "x-note", "two", "HOST", "b"];

describe("headerValues", () => {
  it("finds every value in any spelling, in order", () => {
    assert.deepEqual(headerValues(headers, "x-note"), ["one", "two"]);
  });

  it("finds nothing where there is nothing", () => assert.deepEqual(headerValues(headers, "origin"), []));

  it("does not take a value for a name", () => {
    assert.deepEqual(headerValues(["X-Note", "origin", "Host", "a"], "origin"), []);
  });
});

describe("headerValue", () => {
  it("finds the first value in any spelling", () => assert.equal(headerValue(headers, "host"), "a"));

  it("finds an empty value", () => assert.equal(headerValue(["Origin", ""], "origin"), ""));

  it("finds nothing where there is nothing", () => assert.equal(headerValue(headers, "origin"), undefined));

  it("does not take a value for a name", () => {
    assert.equal(headerValue(["X-Note", "origin", "Host", "a"], "origin"), undefined);
  });
});

describe("listTokens", () => {
  const cases: [string, string[], string[]][] = [
    ["one element", ["Connection", "Upgrade"], ["upgrade"]],
    ["several in one header", ["Connection", "keep-alive, Upgrade"], ["keep-alive", "upgrade"]],
    ["several headers", ["Connection", "keep-alive", "CONNECTION", "Upgrade"], ["keep-alive", "upgrade"]],
    ["no space", ["Connection", "keep-alive,upgrade"], ["keep-alive", "upgrade"]],
    ["tabs and spaces", ["Connection", " \tkeep-alive\t , upgrade "], ["keep-alive", "upgrade"]],
    ["empty elements", ["Connection", ",, upgrade,"], ["upgrade"]],
    ["an empty value", ["Connection", ""], []],
    ["another header", ["X-Connection", "upgrade"], []],
  ];
  for (const [name, raw, expected] of cases) {
    it(name, () => assert.deepEqual(listTokens(raw, "connection"), expected));
  }
});

describe("withoutHeaders", () => {
  it("keeps the rest in its order and spelling, repeated headers too", () => {
    assert.deepEqual(
      withoutHeaders(headers, (name) => name === "host"),
      ["X-Note", "one", "x-note", "two"],
    );
  });

  it("leaves the headers it was given as they are", () => {
    const given = ["Host", "a"];
    withoutHeaders(given, () => true);
    assert.deepEqual(given, ["Host", "a"]);
  });
});

describe("endToEndHeaders", () => {
  const dropped: [string, string[]][] = [
    ["Connection itself", ["Connection", "close"]],
    ["Keep-Alive", ["Keep-Alive", "timeout=5"]],
    ["Proxy-Authenticate", ["Proxy-Authenticate", "Basic"]],
    ["Proxy-Authorization", ["Proxy-Authorization", "Basic eA=="]],
    ["Proxy-Connection", ["Proxy-Connection", "keep-alive"]],
    ["TE", ["TE", "trailers"]],
    ["Trailer", ["Trailer", "Expires"]],
    ["Transfer-Encoding", ["Transfer-Encoding", "chunked"]],
    ["Upgrade", ["Upgrade", "h2c"]],
    ["any spelling", ["KEEP-alive", "timeout=5"]],
    ["a header that Connection names", ["Connection", "X-Secret", "X-Secret", "1"]],
    ["it in any spelling", ["connection", "x-SECRET", "X-Secret", "1"]],
    ["each of several", ["Connection", "close, X-A , X-B", "X-A", "1", "X-B", "2"]],
    [
      "those of several Connection headers",
      ["Connection", "X-A", "Connection", "X-B", "X-A", "1", "X-B", "2"],
    ],
    ["every occurrence", ["X-A", "1", "Connection", "X-A", "x-a", "2"]],
    [
      "h2c's own",
      ["Connection", "Upgrade, HTTP2-Settings", "Upgrade", "h2c", "HTTP2-Settings", "AAMAAABkAAQ"],
    ],
    [
      "a forged header that Connection names",
      ["Connection", "X-Forwarded-For", "X-Forwarded-For", "127.0.0.1"],
    ],
  ];
  for (const [name, raw] of dropped) {
    it(`drops ${name}`, () =>
      assert.deepEqual(endToEndHeaders(["Host", "a", ...raw, "Accept", "*/*"]), [
        "Host",
        "a",
        "Accept",
        "*/*",
      ]));
  }

  it("keeps what the handshake is made of", () => {
    const kept = [
      "Host",
      "localhost:18789",
      "Sec-WebSocket-Key",
      "dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version",
      "13",
      "Sec-WebSocket-Extensions",
      "permessage-deflate",
      "Sec-WebSocket-Protocol",
      "chat",
      "Origin",
      "http://localhost:18789",
      "Authorization",
      "Bearer x",
      "Cookie",
      "a=b",
    ];
    assert.deepEqual(endToEndHeaders([...kept, "Connection", "Upgrade", "Upgrade", "websocket"]), kept);
  });
});
