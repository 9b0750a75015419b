import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  applyMask,
  decodeClose,
  encodeClose,
  encodeFrame,
  encodeHeader,
  type FrameHeader,
  MAX_HEADER,
  OPCODE,
} from "./frames.ts";

const bytes = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");
const hex = (buffer: Buffer) => buffer.toString("hex");
/** The masking key of RFC 6455 §5.7's examples. */
const MASK = bytes("37 fa 21 3d");

describe("encodeHeader", () => {
  const cases: [string, FrameHeader, string][] = [
    ["no payload", { firstByte: 0x81, length: 0 }, "81 00"],
    ["5 bytes", { firstByte: 0x81, length: 5 }, "81 05"],
    ["125 bytes, the last 7-bit length", { firstByte: 0x82, length: 125 }, "82 7d"],
    ["126 bytes, the first 16-bit length", { firstByte: 0x82, length: 126 }, "82 7e 007e"],
    ["256 bytes (RFC 6455 §5.7)", { firstByte: 0x82, length: 256 }, "82 7e 0100"],
    ["65535 bytes, the last 16-bit length", { firstByte: 0x82, length: 65535 }, "82 7e ffff"],
    ["65536 bytes (RFC 6455 §5.7)", { firstByte: 0x82, length: 65536 }, "82 7f 0000000000010000"],
    ["2^32 - 1 bytes", { firstByte: 0x82, length: 2 ** 32 - 1 }, "82 7f 00000000ffffffff"],
    ["2^32 bytes", { firstByte: 0x82, length: 2 ** 32 }, "82 7f 0000000100000000"],
    ["2^53 - 1 bytes", { firstByte: 0x82, length: 2 ** 53 - 1 }, "82 7f 001fffffffffffff"],
    ["a mask after a 7-bit length", { firstByte: 0x81, length: 5, mask: MASK }, "81 85 37fa213d"],
    ["a mask after a 16-bit length", { firstByte: 0x81, length: 300, mask: MASK }, "81 fe 012c 37fa213d"],
    [
      "a mask after a 64-bit length",
      { firstByte: 0x81, length: 65536, mask: MASK },
      "81 ff 0000000000010000 37fa213d",
    ],
    ["no FIN", { firstByte: 0x01, length: 3 }, "01 03"],
    ["RSV1", { firstByte: 0xc1, length: 3 }, "c1 03"],
  ];
  for (const [name, header, expected] of cases) {
    it(name, () => assert.equal(hex(encodeHeader(header)), hex(bytes(expected))));
  }

  it("is never longer than MAX_HEADER", () => {
    const longest = encodeHeader({ firstByte: 0x82, length: 2 ** 53 - 1, mask: MASK });
    assert.equal(longest.length, MAX_HEADER);
  });
});

describe("encodeFrame", () => {
  const hello = Buffer.from("Hello");
  const cases: [string, Buffer, string][] = [
    ["a text frame (RFC 6455 §5.7)", encodeFrame(OPCODE.text, hello), "81 05 48656c6c6f"],
    [
      "a masked text frame (RFC 6455 §5.7)",
      encodeFrame(OPCODE.text, hello, MASK),
      "81 85 37fa213d 7f9f4d5158",
    ],
    ["a ping (RFC 6455 §5.7)", encodeFrame(OPCODE.ping, hello), "89 05 48656c6c6f"],
    ["a masked pong (RFC 6455 §5.7)", encodeFrame(OPCODE.pong, hello, MASK), "8a 85 37fa213d 7f9f4d5158"],
    ["an empty ping", encodeFrame(OPCODE.ping, Buffer.alloc(0)), "89 00"],
    ["an empty masked ping", encodeFrame(OPCODE.ping, Buffer.alloc(0), MASK), "89 80 37fa213d"],
  ];
  for (const [name, frame, expected] of cases) {
    it(name, () => assert.equal(hex(frame), hex(bytes(expected))));
  }

  it("leaves the payload it was given as it is", () => {
    const payload = Buffer.from("Hello");
    encodeFrame(OPCODE.text, payload, MASK);
    assert.equal(payload.toString(), "Hello");
  });
});

describe("applyMask", () => {
  it("masks as RFC 6455 §5.3 says", () => {
    assert.equal(hex(applyMask(Buffer.from("Hello"), MASK)), "7f9f4d5158");
  });

  it("undoes itself", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array({ minLength: 4, maxLength: 4 }), (payload, mask) => {
        const key = Buffer.from(mask);
        assert.equal(hex(applyMask(applyMask(Buffer.from(payload), key), key)), hex(Buffer.from(payload)));
      }),
    );
  });
});

describe("encodeClose", () => {
  it("1000 without a reason", () => assert.equal(hex(encodeClose(1000, "")), hex(bytes("88 02 03e8"))));

  it("1012 with a reason", () => {
    assert.equal(hex(encodeClose(1012, "bye")), hex(bytes("88 05 03f4 627965")));
  });

  it("masked, towards the gateway", () => {
    // 03e9 ^ 37fa, 676f ^ 213d, 6e65 ^ 37fa, 21 ^ 21
    assert.equal(hex(encodeClose(1001, "gone!", MASK)), hex(bytes("88 87 37fa213d 3413 4652 599f 00")));
  });

  it("a reason of 123 bytes whole: 125 bytes of payload, the most a control frame carries", () => {
    assert.equal(hex(encodeClose(1013, "a".repeat(123))), hex(bytes(`88 7d 03f5 ${"61".repeat(123)}`)));
  });

  it("a reason of 124 bytes cut to 123, with the mark of a cut", () => {
    assert.equal(
      hex(encodeClose(1013, "a".repeat(124))),
      hex(bytes(`88 7d 03f5 ${"61".repeat(120)} e280a6`)),
    );
  });

  it("no character cut in two", () => {
    // 61 times é is 122 bytes; "…" needs 3, so 60 times é (120 bytes) stay
    assert.equal(
      hex(encodeClose(1013, "é".repeat(62))),
      hex(bytes(`88 7d 03f5 ${"c3a9".repeat(60)} e280a6`)),
    );
  });
});

describe("decodeClose", () => {
  it("an empty payload says nothing", () => {
    assert.deepEqual(decodeClose(bytes("")), { code: undefined, reason: "" });
  });

  it("a code alone", () => assert.deepEqual(decodeClose(bytes("03e8")), { code: 1000, reason: "" }));

  it("a code and a reason", () => {
    assert.deepEqual(decodeClose(bytes("03f4 627965 20 f09fa69e")), { code: 1012, reason: "bye 🦞" });
  });

  it("a code of the application", () => {
    assert.deepEqual(decodeClose(bytes("0fa0 78")), { code: 4000, reason: "x" });
  });

  it("a payload of 1 byte is 1002", () => {
    assert.deepEqual(decodeClose(bytes("03")), {
      code: 1002,
      message: "close frame with a payload of 1 byte",
    });
  });

  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535]) {
    it(`code ${code} is 1002`, () => {
      const payload = Buffer.from([code >> 8, code & 0xff, 0x78]);
      assert.deepEqual(decodeClose(payload), { code: 1002, message: `close code ${code} may not be sent` });
    });
  }

  const notUtf8: [string, string][] = [
    ["a byte that never occurs", "ff"],
    ["a character cut in two", "61 c3"],
    ["an overlong form", "c0 af"],
    ["a surrogate", "ed a0 80"],
    ["a code point over U+10FFFF", "f4 90 80 80"],
  ];
  for (const [name, reason] of notUtf8) {
    it(`a reason with ${name} is 1007`, () => {
      assert.deepEqual(decodeClose(bytes(`03e8 ${reason}`)), {
        code: 1007,
        message: "close reason is not UTF-8",
      });
    });
  }

  it("reads what encodeClose wrote", () => {
    const sendable = fc.oneof(
      fc.constantFrom(1000, 1001, 1011, 1012, 1013),
      fc.integer({ min: 3000, max: 4999 }),
    );
    fc.assert(
      fc.property(sendable, fc.string({ unit: "grapheme", maxLength: 30 }), (code, reason) => {
        fc.pre(Buffer.byteLength(reason) <= 123);
        assert.deepEqual(decodeClose(encodeClose(code, reason).subarray(2)), { code, reason });
      }),
    );
  });
});
