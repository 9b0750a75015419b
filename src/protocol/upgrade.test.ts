import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  acceptFor,
  allowedRsvOf,
  asksForWebSocket,
  checkUpgrade,
  completeUpgrade,
  responseHead,
  type UpgradeRequest,
} from "./upgrade.ts";

/** The key of RFC 6455 §1.3's example. */
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** RFC 6455 §1.2's example request, with changes: undefined leaves a header out. */
function request(
  changes: Record<string, string | undefined> = {},
  line: Partial<UpgradeRequest> = {},
): UpgradeRequest {
  const headers: Record<string, string | undefined> = {
    Host: "localhost:18789",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
    ...changes,
  };
  const raw = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
  return { method: "GET", httpVersion: "1.1", headers: raw, ...line };
}

describe("asksForWebSocket", () => {
  const cases: [string, string[], boolean][] = [
    ["Upgrade: websocket", ["Connection", "Upgrade", "Upgrade", "websocket"], true],
    ["any spelling", ["connection", "UPGRADE", "upgrade", "WebSocket"], true],
    ["Firefox's Connection", ["Connection", "keep-alive, Upgrade", "Upgrade", "websocket"], true],
    ["websocket among others", ["Connection", "Upgrade", "Upgrade", "h2c, websocket"], true],
    [
      "Upgrade: h2c",
      ["Connection", "Upgrade, HTTP2-Settings", "Upgrade", "h2c", "HTTP2-Settings", "AAM"],
      false,
    ],
    ["Upgrade: TLS/1.0", ["Connection", "Upgrade", "Upgrade", "TLS/1.0"], false],
    ["a protocol that begins with websocket", ["Connection", "Upgrade", "Upgrade", "websocket2"], false],
    ["Upgrade that Connection does not name", ["Connection", "keep-alive", "Upgrade", "websocket"], false],
    ["no Connection at all", ["Upgrade", "websocket"], false],
    ["no Upgrade header", ["Connection", "Upgrade"], false],
    ["nothing", [], false],
  ];
  for (const [name, headers, expected] of cases) {
    it(`${name}: ${expected ? "yes" : "no, plain HTTP"}`, () =>
      assert.equal(asksForWebSocket(headers), expected));
  }
});

describe("checkUpgrade lets pass", () => {
  const good: [string, UpgradeRequest][] = [
    ["RFC 6455's example", request()],
    ["Content-Length: 0", request({ "Content-Length": "0" })],
    ["a key that ends in A", request({ "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==" })],
    ["a key that ends in Q", request({ "Sec-WebSocket-Key": "////////////////////AQ==" })],
    ["a key that ends in w", request({ "Sec-WebSocket-Key": "++++++++++++++++++++/w==" })],
    [
      "headers in lower case",
      { ...request(), headers: request().headers.map((h, i) => (i % 2 ? h : h.toLowerCase())) },
    ],
  ];
  for (const [name, value] of good) {
    it(name, () => assert.equal(checkUpgrade(value), undefined));
  }
});

describe("checkUpgrade refuses", () => {
  const key = "Sec-WebSocket-Key";
  const bad: [string, UpgradeRequest, number, RegExp][] = [
    ["POST", request({}, { method: "POST" }), 405, /GET/],
    ["HEAD", request({}, { method: "HEAD" }), 405, /GET/],
    ["get in lower case: methods are case-sensitive", request({}, { method: "get" }), 405, /GET/],
    ["HTTP/1.0", request({}, { httpVersion: "1.0" }), 400, /HTTP\/1\.1/],
    ["a body with a length", request({ "Content-Length": "5" }), 400, /body/],
    ["a length that is no number", request({ "Content-Length": "0x0" }), 400, /body/],
    ["an empty length", request({ "Content-Length": "" }), 400, /body/],
    ["a chunked body", request({ "Transfer-Encoding": "chunked" }), 400, /body/],
    [
      "Transfer-Encoding beside Content-Length: 0",
      request({ "Content-Length": "0", "Transfer-Encoding": "identity" }),
      400,
      /body/,
    ],
    ["no version", request({ "Sec-WebSocket-Version": undefined }), 426, /13/],
    ["version 8", request({ "Sec-WebSocket-Version": "8" }), 426, /13/],
    ["version 14", request({ "Sec-WebSocket-Version": "14" }), 426, /13/],
    ["a list of versions", request({ "Sec-WebSocket-Version": "13, 8" }), 426, /13/],
    ["no key", request({ [key]: undefined }), 400, /16 bytes/],
    ["an empty key", request({ [key]: "" }), 400, /16 bytes/],
    ["a key of 15 bytes", request({ [key]: "dGhlIHNhbXBsZSBub25j" }), 400, /16 bytes/],
    ["a key of 17 bytes", request({ [key]: "dGhlIHNhbXBsZSBub25jZTE=" }), 400, /16 bytes/],
    ["a key without its padding", request({ [key]: "dGhlIHNhbXBsZSBub25jZQ" }), 400, /16 bytes/],
    ["a key that is not base64", request({ [key]: "dGhlIHNhbXBsZSBub25j!Q==" }), 400, /16 bytes/],
    ["a key in base64url", request({ [key]: "dGhlIHNhbXBsZSBub25-_Q==" }), 400, /16 bytes/],
    ["a key with bits behind its 16 bytes", request({ [key]: "dGhlIHNhbXBsZSBub25jZR==" }), 400, /16 bytes/],
    ["a key with a line behind it", request({ [key]: `${KEY}\n` }), 400, /16 bytes/],
    ["two keys", { ...request(), headers: [...request().headers, key, KEY] }, 400, /16 bytes/],
  ];
  for (const [name, value, status, message] of bad) {
    it(`${name} with ${status}`, () => {
      const refusal = checkUpgrade(value);
      assert.equal(refusal?.status, status);
      assert.match(refusal.message, message);
    });
  }

  it("another version by naming ours (RFC 6455 §4.2.2)", () => {
    assert.deepEqual(checkUpgrade(request({ "Sec-WebSocket-Version": "8" }))?.headers, [
      "Sec-WebSocket-Version",
      "13",
      "Upgrade",
      "websocket",
    ]);
  });
});

describe("acceptFor", () => {
  it("answers RFC 6455 §1.3's example", () => assert.equal(acceptFor(KEY), ACCEPT));
});

describe("completeUpgrade", () => {
  const head = (extra: string) =>
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${ACCEPT}\r\n${extra}\r\n`;

  it("accepts the key", () => assert.equal(completeUpgrade(request().headers), head("")));

  const offers: [string, string, string][] = [
    ["the only subprotocol", "openclaw", "openclaw"],
    ["the first of several", "openclaw, chat", "openclaw"],
    ["the first of several without spaces", "openclaw,chat", "openclaw"],
    ["its spelling", "OpenClaw.V4, chat", "OpenClaw.V4"],
  ];
  for (const [name, offered, echoed] of offers) {
    it(`echoes ${name}`, () => {
      const { headers } = request({ "Sec-WebSocket-Protocol": offered });
      assert.equal(completeUpgrade(headers), head(`Sec-WebSocket-Protocol: ${echoed}\r\n`));
    });
  }

  it("echoes the first of several headers", () => {
    const headers = [
      ...request().headers,
      "Sec-WebSocket-Protocol",
      "first",
      "sec-websocket-protocol",
      "second",
    ];
    assert.equal(completeUpgrade(headers), head("Sec-WebSocket-Protocol: first\r\n"));
  });

  it("names no subprotocol when an empty one is offered", () => {
    assert.equal(completeUpgrade(request({ "Sec-WebSocket-Protocol": "" }).headers), head(""));
  });

  it("agrees to no extension, whatever is offered", () => {
    const { headers } = request({ "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" });
    assert.equal(completeUpgrade(headers), head(""));
  });
});

describe("allowedRsvOf", () => {
  const cases: [string, string[], number][] = [
    ["no extension: none", [], 0],
    ["an empty header: none", ["Sec-WebSocket-Extensions", ""], 0],
    ["permessage-deflate: RSV1", ["Sec-WebSocket-Extensions", "permessage-deflate"], 0x40],
    [
      "permessage-deflate with parameters: RSV1",
      [
        "Sec-WebSocket-Extensions",
        "permessage-deflate; server_no_context_takeover; client_max_window_bits=15",
      ],
      0x40,
    ],
    [
      "permessage-deflate without a space: RSV1",
      ["sec-websocket-extensions", "permessage-deflate;a=1"],
      0x40,
    ],
    ["permessage-deflate in capitals: RSV1", ["Sec-WebSocket-Extensions", "Permessage-Deflate"], 0x40],
    ["an extension we do not know: all", ["Sec-WebSocket-Extensions", "x-mux"], 0x70],
    [
      "one we do not know beside deflate: all",
      ["Sec-WebSocket-Extensions", "permessage-deflate, x-mux"],
      0x70,
    ],
    [
      "one we do not know in a second header: all",
      ["Sec-WebSocket-Extensions", "permessage-deflate", "Sec-WebSocket-Extensions", "x-mux; a"],
      0x70,
    ],
    ["a name that begins like deflate: all", ["Sec-WebSocket-Extensions", "permessage-deflate2"], 0x70],
  ];
  for (const [name, headers, expected] of cases) {
    it(name, () => assert.equal(allowedRsvOf(headers), expected));
  }
});

describe("responseHead", () => {
  it("writes the status line, the headers in order, and an empty line", () => {
    assert.equal(
      responseHead(426, "Upgrade Required", ["Sec-WebSocket-Version", "13", "Content-Length", "0"]),
      "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n",
    );
  });

  it("without headers", () =>
    assert.equal(responseHead(400, "Bad Request", []), "HTTP/1.1 400 Bad Request\r\n\r\n"));
});
