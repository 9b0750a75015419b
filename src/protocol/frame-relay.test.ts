import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FRAGMENT_BYTES, FrameRelay, type FrameRelayOptions, RSV1 } from "./frame-relay.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const MAX_HELD = 64 * KIB + 14;

const bytes = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");
const hex = (buffer: Buffer) => buffer.toString("hex");

/** Frames from a server unless told otherwise; nothing negotiated; every control frame is passed on. */
function relayOf(options: Partial<FrameRelayOptions> = {}): FrameRelay {
  return new FrameRelay({ masked: false, allowedRsv: 0, onControl: () => true, ...options });
}

/** Takes what the relay has ready, as its caller does after each push. */
const takeOut = (relay: FrameRelay) => Buffer.concat(relay.out.splice(0));

function relayAll(relay: FrameRelay, chunks: Iterable<Buffer>): Buffer {
  const out: Buffer[] = [];
  for (const chunk of chunks) {
    assert.equal(relay.push(chunk), undefined);
    out.push(takeOut(relay));
  }
  return Buffer.concat(out);
}

// "Hello" masked with 37fa213d is RFC 6455 §5.7's own example.
const everyKindFromServer = [
  "81 05 48656c6c6f", // text "Hello"
  "82 00", // empty binary
  "01 03 48656c", // text in three frames …
  "89 02 7069", // … a ping in between …
  "00 00", // … an empty continuation …
  "8a 00", // … an empty pong …
  "80 02 6c6f", // … and the end
  `82 7e 0080 ${"ab".repeat(128)}`, // 16-bit length
  "89 04 70696e67",
  "88 05 03e8 627965", // close 1000 "bye"
].map(bytes);

const everyKindFromClient = [
  "81 85 37fa213d 7f9f4d5158", // text "Hello"
  "82 80 00000000", // empty binary
  "01 83 37fa213d 7f9f4d", // text in three frames …
  "89 82 01020304 716b", // … a ping "pi" in between …
  "00 80 37fa213d", // … an empty continuation …
  "8a 80 deadbeef", // … an empty pong …
  "80 82 37fa213d 5b95", // … and the end
  `82 fe 0080 ffffffff ${"ab".repeat(128)}`, // 16-bit length
  "89 84 01020304 716b6d63", // ping "ping"
  "88 85 37fa213d 3412 434452", // close 1000 "bye"
].map(bytes);

const sides = [
  { from: "server", masked: false, frames: everyKindFromServer },
  { from: "client", masked: true, frames: everyKindFromClient },
] as const;

describe("a relay passes valid frames on", () => {
  for (const { from, masked, frames } of sides) {
    const stream = Buffer.concat(frames);

    it(`byte-identical, every kind, from a ${from}, in one piece`, () => {
      assert.equal(hex(relayAll(relayOf({ masked }), [stream])), hex(stream));
    });

    it(`byte-identical, every kind, from a ${from}, one frame at a time`, () => {
      const relay = relayOf({ masked });
      for (const frame of frames) assert.equal(hex(relayAll(relay, [frame])), hex(frame));
    });

    it(`byte-identical, every kind, from a ${from}, one byte at a time`, () => {
      const crumbs = Array.from(stream, (byte) => Buffer.from([byte]));
      assert.equal(hex(relayAll(relayOf({ masked }), crumbs)), hex(stream));
    });

    it(`byte-identical, every kind, from a ${from}, cut in two at every byte`, () => {
      for (let cut = 0; cut <= stream.length; cut++) {
        const out = relayAll(relayOf({ masked }), [stream.subarray(0, cut), stream.subarray(cut)]);
        assert.equal(hex(out), hex(stream), `cut at byte ${cut}`);
      }
    });

    it(`frame by frame, from a ${from}: what is out ends with the last complete frame, wherever the cut`, () => {
      for (let cut = 0; cut < stream.length; cut++) {
        const relay = relayOf({ masked });
        relay.push(stream.subarray(0, cut));
        let complete = 0;
        for (const frame of frames) {
          if (complete + frame.length > cut) break;
          complete += frame.length;
        }
        assert.equal(hex(takeOut(relay)), hex(stream.subarray(0, complete)), `cut at byte ${cut}`);
      }
    });

    it(`shows the control frames of a ${from} in order, unmasked, wherever they are cut`, () => {
      const expected = ["9 7069", "10 ", "9 70696e67", "8 03e8627965"];
      for (let cut = 0; cut <= stream.length; cut++) {
        const seen: string[] = [];
        const onControl = (opcode: number, payload: Buffer) => seen.push(`${opcode} ${hex(payload)}`) > 0;
        relayAll(relayOf({ masked, onControl }), [stream.subarray(0, cut), stream.subarray(cut)]);
        assert.deepEqual(seen, expected, `cut at byte ${cut}`);
      }
    });
  }

  it("of 64 KiB, the longest that is not cut, byte-identical and only when complete", () => {
    const relay = relayOf();
    const frame = bytes(`82 7f 0000000000010000 ${"cd".repeat(64 * KIB)}`);
    assert.equal(relayAll(relay, [frame.subarray(0, -1)]).length, 0);
    assert.equal(hex(relayAll(relay, [frame.subarray(-1)])), hex(frame));
  });

  it("without copying: a chunk of whole frames is handed on itself", () => {
    const relay = relayOf();
    const chunk = bytes("81 05 48656c6c6f 82 01 00");
    relay.push(chunk);
    assert.deepEqual(relay.out.length, 1);
    assert.equal(relay.out[0], chunk);
  });

  it("without copying: the whole frames of a chunk that ends inside another are handed on as a view of it", () => {
    const relay = relayOf();
    const chunk = bytes("81 01 61 82 01 00 81 05 4865");
    relay.push(chunk);
    assert.deepEqual(
      relay.out.map((piece) => [piece.buffer, piece.byteOffset, piece.length]),
      [[chunk.buffer, chunk.byteOffset, 6]],
    );
  });

  it("without copying: a frame cut over two chunks is handed on as views of them", () => {
    const relay = relayOf();
    const chunks = [bytes("81 05 4865"), bytes("6c6c6f")];
    for (const chunk of chunks) relay.push(chunk);
    assert.deepEqual(
      relay.out.map((piece) => [piece.buffer, piece.byteOffset]),
      chunks.map((chunk) => [chunk.buffer, chunk.byteOffset]),
    );
  });

  it("and counts what it holds back, half a header too", () => {
    const relay = relayOf();
    const trace = ["82", "7e 00", "80", "abab", "ab".repeat(126)].map((chunk) => {
      relay.push(bytes(chunk));
      return relay.heldBytes;
    });
    assert.deepEqual(trace, [1, 3, 4, 6, 0]);
  });

  it("and takes an empty chunk anywhere", () => {
    const relay = relayOf();
    const none = Buffer.alloc(0);
    const out = relayAll(relay, [
      none,
      bytes("81"),
      none,
      bytes("05"),
      none,
      bytes("48656c"),
      none,
      bytes("6c6f"),
      none,
    ]);
    assert.equal(hex(out), "810548656c6c6f");
  });
});

describe("a relay tells whether its output ends inside a message", () => {
  it("between the frames of a fragmented message, also around a control frame", () => {
    const relay = relayOf();
    const trace = ["01 01 61", "89 00", "00 01 62", "80 01 63", "81 01 64"].map((frame) => {
      relay.push(bytes(frame));
      return relay.midMessage;
    });
    assert.deepEqual(trace, [true, true, true, false, false]);
  });

  it("not while the first frame is still held", () => {
    const relay = relayOf();
    relay.push(bytes("01 05 6162"));
    assert.equal(relay.midMessage, false);
  });

  it("still while the last frame is held", () => {
    const relay = relayOf();
    relay.push(bytes("01 01 61 80 05 62"));
    assert.equal(relay.midMessage, true);
  });

  it("between the fragments of a large frame", () => {
    const relay = relayOf();
    const frame = serverFrame(0x82, payloadOf(130 * KIB, 1));
    const trace = cut(frame, [64 * KIB, 1 * KIB, 64 * KIB]).map((chunk) => {
      relay.push(chunk);
      return relay.midMessage;
    });
    // the first 64 KiB of the stream are 10 bytes short of a fragment: they hold the header too
    assert.deepEqual(trace, [false, true, true, false]);
  });
});

describe("a relay drops the control frames its owner keeps", () => {
  for (const { from, masked, frames } of sides) {
    const isControl = (frame: Buffer) => (frame[0]! & 0x08) !== 0;
    const stream = Buffer.concat(frames);

    it(`all of them, from a ${from}, wherever the stream is cut; the rest is byte-identical`, () => {
      const rest = hex(Buffer.concat(frames.filter((frame) => !isControl(frame))));
      for (let cut = 0; cut <= stream.length; cut++) {
        const relay = relayOf({ masked, onControl: () => false });
        const out = relayAll(relay, [stream.subarray(0, cut), stream.subarray(cut)]);
        assert.equal(hex(out), rest, `cut at byte ${cut}`);
      }
    });

    it(`only the pongs, from a ${from}`, () => {
      const rest = frames.filter((frame) => (frame[0]! & 0x0f) !== 0xa);
      const relay = relayOf({ masked, onControl: (opcode) => opcode !== 0xa });
      assert.equal(hex(relayAll(relay, [stream])), hex(Buffer.concat(rest)));
    });
  }
});

describe("a Close ends a relay", () => {
  it("and bytes behind it in the same chunk are ignored", () => {
    const relay = relayOf();
    assert.equal(relay.push(bytes("81 01 61 88 02 03e8 81 01 62 ff ff")), undefined);
    assert.equal(hex(takeOut(relay)), hex(bytes("81 01 61 88 02 03e8")));
  });

  it("and later chunks are ignored, valid or not", () => {
    const relay = relayOf();
    relay.push(bytes("88 00"));
    takeOut(relay);
    assert.equal(relay.push(bytes("81 01 62")), undefined);
    assert.equal(relay.push(bytes("ff ff ff")), undefined);
    assert.equal(relay.out.length, 0);
    assert.equal(relay.heldBytes, 0);
  });

  it("also when its owner keeps it", () => {
    const relay = relayOf({ onControl: () => false });
    relay.push(bytes("81 01 61 88 02 03e8"));
    relay.push(bytes("81 01 62"));
    assert.equal(hex(takeOut(relay)), "810161");
  });

  it("also in the middle of a fragmented message", () => {
    const relay = relayOf();
    assert.equal(
      hex(relayAll(relay, [bytes("01 01 61 88 00"), bytes("80 01 62")])),
      hex(bytes("01 01 61 88 00")),
    );
  });
});

interface ViolationRow {
  readonly name: string;
  readonly from: "client" | "server";
  readonly frames: string;
  readonly code: number;
  readonly message: string;
  readonly allowedRsv?: number;
}

const reservedOpcodes = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): ViolationRow => {
  const first = (0x80 | opcode).toString(16);
  return {
    name: `reserved opcode ${opcode}`,
    from: "server",
    frames: `${first} 00`,
    code: 1002,
    message: `reserved opcode ${opcode}`,
  };
});

const RESERVED_BIT = "reserved bit set without an extension that defines it";

const violations: ViolationRow[] = [
  ...reservedOpcodes,
  {
    name: "reserved opcode of a client",
    from: "client",
    frames: "83 80 01020304",
    code: 1002,
    message: "reserved opcode 3",
  },
  { name: "RSV1 not negotiated", from: "server", frames: "c1 01 61", code: 1002, message: RESERVED_BIT },
  { name: "RSV2 not negotiated", from: "server", frames: "a1 01 61", code: 1002, message: RESERVED_BIT },
  { name: "RSV3 not negotiated", from: "server", frames: "91 01 61", code: 1002, message: RESERVED_BIT },
  {
    name: "RSV2 with only RSV1 negotiated",
    from: "server",
    frames: "e1 01 61",
    code: 1002,
    message: RESERVED_BIT,
    allowedRsv: RSV1,
  },
  {
    name: "RSV1 on a continuation",
    from: "server",
    frames: "41 01 61 c0 01 62",
    code: 1002,
    message: RESERVED_BIT,
    allowedRsv: RSV1,
  },
  {
    name: "RSV1 on a ping",
    from: "server",
    frames: "c9 00",
    code: 1002,
    message: RESERVED_BIT,
    allowedRsv: RSV1,
  },
  {
    name: "RSV2 on a ping, though an extension we do not know may use it on data",
    from: "server",
    frames: "a9 00",
    code: 1002,
    message: RESERVED_BIT,
    allowedRsv: 0x70,
  },
  {
    name: "RSV1 on a close",
    from: "client",
    frames: "c8 80 01020304",
    code: 1002,
    message: RESERVED_BIT,
    allowedRsv: RSV1,
  },
  {
    name: "unmasked client frame",
    from: "client",
    frames: "81 01 61",
    code: 1002,
    message: "unmasked frame from a client",
  },
  {
    name: "unmasked client close",
    from: "client",
    frames: "88 00",
    code: 1002,
    message: "unmasked frame from a client",
  },
  {
    name: "masked server frame",
    from: "server",
    frames: "81 85 37fa213d 7f9f4d5158",
    code: 1002,
    message: "masked frame from a server",
  },
  {
    name: "fragmented ping",
    from: "server",
    frames: "09 00",
    code: 1002,
    message: "fragmented control frame",
  },
  {
    name: "fragmented pong",
    from: "server",
    frames: "0a 01 61",
    code: 1002,
    message: "fragmented control frame",
  },
  {
    name: "fragmented close",
    from: "server",
    frames: "08 02 03e8",
    code: 1002,
    message: "fragmented control frame",
  },
  {
    name: "ping of 126 bytes",
    from: "server",
    frames: "89 7e 007e",
    code: 1002,
    message: "control frame of 126 bytes",
  },
  {
    name: "pong of 65536 bytes",
    from: "client",
    frames: "8a ff 0000000000010000 01020304",
    code: 1002,
    message: "control frame of 65536 bytes",
  },
  {
    name: "continuation without a message",
    from: "server",
    frames: "80 01 61",
    code: 1002,
    message: "continuation without a message",
  },
  {
    name: "continuation after a finished message",
    from: "server",
    frames: "01 01 61 80 01 62 00 01 63",
    code: 1002,
    message: "continuation without a message",
  },
  {
    name: "new message inside a fragmented one",
    from: "server",
    frames: "01 01 61 81 01 62",
    code: 1002,
    message: "new message inside a fragmented one",
  },
  {
    name: "new message inside a fragmented one, behind a ping",
    from: "server",
    frames: "02 01 61 89 00 02 01 62",
    code: 1002,
    message: "new message inside a fragmented one",
  },
  {
    name: "length of 2^63",
    from: "server",
    frames: "82 7f 8000000000000000",
    code: 1009,
    message: "frame length over 2^53 bytes",
  },
  {
    name: "length of 2^64 - 1, from a client",
    from: "client",
    frames: "82 ff ffffffffffffffff 01020304",
    code: 1009,
    message: "frame length over 2^53 bytes",
  },
  {
    name: "length of 2^53",
    from: "server",
    frames: "82 7f 0020000000000000",
    code: 1009,
    message: "frame length over 2^53 bytes",
  },
  {
    name: "close of 1 byte",
    from: "server",
    frames: "88 01 03",
    code: 1002,
    message: "close frame with a payload of 1 byte",
  },
  {
    name: "close with 1005",
    from: "server",
    frames: "88 02 03ed",
    code: 1002,
    message: "close code 1005 may not be sent",
  },
  {
    name: "masked close with 1006",
    from: "client",
    frames: "88 82 01020304 02ec",
    code: 1002,
    message: "close code 1006 may not be sent",
  },
  {
    name: "close reason that is not UTF-8",
    from: "server",
    frames: "88 03 03e8 ff",
    code: 1007,
    message: "close reason is not UTF-8",
  },
];

describe("a violation", () => {
  for (const { name, from, frames, code, message, allowedRsv = 0 } of violations) {
    const options = { masked: from === "client", allowedRsv };
    const good = bytes(from === "client" ? "81 81 01020304 60" : "81 01 61");
    const bad = bytes(frames);

    it(`${name} is told, with ${code}`, () => {
      assert.deepEqual(relayOf(options).push(bad), { code, message });
    });

    it(`${name} is told when its bytes come one by one`, () => {
      const relay = relayOf(options);
      const told = Array.from(bad, (byte) => relay.push(Buffer.from([byte]))).filter((v) => v !== undefined);
      assert.deepEqual(told, [{ code, message }]);
    });

    it(`${name} leaves what came before it, and nothing of itself, at a frame boundary`, () => {
      const relay = relayOf(options);
      relay.push(Buffer.concat([good, bad]));
      const out = takeOut(relay);
      assert.equal(hex(out.subarray(0, good.length)), hex(good));
      assert.ok(out.length < good.length + bad.length);
      decode(out);
    });

    it(`${name} ends the relay`, () => {
      const relay = relayOf(options);
      relay.push(bad);
      takeOut(relay);
      assert.equal(relay.push(good), undefined);
      assert.equal(relay.out.length, 0);
      assert.equal(relay.heldBytes, 0);
    });
  }

  it("in a control frame is not shown to the owner", () => {
    const seen: number[] = [];
    relayOf({ onControl: (opcode) => seen.push(opcode) > 0 }).push(bytes("88 02 03ed"));
    assert.deepEqual(seen, []);
  });
});

describe("reserved bits that were negotiated pass", () => {
  const cases: [string, number, string][] = [
    ["RSV1 on a whole message", RSV1, "c1 01 61"],
    ["RSV1 on the first frame of a fragmented message", RSV1, "41 01 61 89 00 00 01 62 80 00"],
    ["no RSV1 on the next message", RSV1, "c1 01 61 82 01 62"],
    ["RSV2 and RSV3 of an extension we do not know", 0x70, "b1 01 61"],
  ];
  for (const [name, allowedRsv, frames] of cases) {
    it(name, () => {
      assert.equal(hex(relayAll(relayOf({ allowedRsv }), [bytes(frames)])), hex(bytes(frames)));
    });
  }
});

describe("a frame over 64 KiB becomes fragments", () => {
  const shapes = (out: Buffer) => decode(out).map((f) => `${f.bytes[0]!.toString(16)} ${f.payload.length}`);

  it("of 64 KiB and the rest, the first with the opcode, the last with FIN", () => {
    const out = relayAll(relayOf(), [serverFrame(0x82, payloadOf(64 * KIB * 2 + 1, 7))]);
    assert.deepEqual(shapes(out), ["2 65536", "0 65536", "80 1"]);
  });

  it("of 64 KiB exactly when it is a multiple", () => {
    const out = relayAll(relayOf(), [serverFrame(0x81, payloadOf(64 * KIB * 2, 7))]);
    assert.deepEqual(shapes(out), ["1 65536", "80 65536"]);
  });

  it("with RSV1 on the first only", () => {
    const out = relayAll(relayOf({ allowedRsv: RSV1 }), [serverFrame(0xc1, payloadOf(64 * KIB * 2 + 5, 7))]);
    assert.deepEqual(shapes(out), ["41 65536", "0 65536", "80 5"]);
  });

  it("without FIN when it had none, and the next frame still continues the message", () => {
    const stream = [serverFrame(0x02, payloadOf(64 * KIB + 1, 7)), bytes("80 01 61")];
    assert.deepEqual(shapes(relayAll(relayOf(), stream)), ["2 65536", "0 1", "80 1"]);
  });

  it("all continuations when it was one", () => {
    const stream = [bytes("01 01 61"), serverFrame(0x80, payloadOf(64 * KIB + 1, 7))];
    assert.deepEqual(shapes(relayAll(relayOf(), stream)), ["1 1", "0 65536", "80 1"]);
  });

  it("that unmask to the same payload, when a client sent it", () => {
    const payload = payloadOf(200_003, 7);
    const frame = buildFrame({ firstByte: 0x82, payload, mask: bytes("37fa213d") });
    const out = relayAll(relayOf({ masked: true }), cut(frame, [1000, 1, 40_000]));
    assert.equal(digest(Buffer.concat(decode(out).map((f) => f.payload))), digest(payload));
  });

  it("that all keep the client's masking key: the masked bytes are its own", () => {
    const frame = buildFrame({ firstByte: 0x82, payload: payloadOf(200_003, 7), mask: bytes("37fa213d") });
    const out = relayAll(relayOf({ masked: true }), [frame]);
    const masked = decode(out).map((f) => f.bytes.subarray(f.bytes.length - f.payload.length));
    assert.equal(digest(Buffer.concat(masked)), digest(frame.subarray(14)));
  });

  it("the same ones wherever its header is cut", () => {
    const frame = buildFrame({ firstByte: 0x81, payload: payloadOf(70_000, 7), mask: bytes("01020304") });
    const whole = digest(relayAll(relayOf({ masked: true }), [frame]));
    for (let at = 1; at <= 16; at++) {
      const out = relayAll(relayOf({ masked: true }), [frame.subarray(0, at), frame.subarray(at)]);
      assert.equal(digest(out), whole, `cut at byte ${at}`);
    }
  });

  it("and the frames before and behind it in the same chunk stay as they are", () => {
    const large = serverFrame(0x82, payloadOf(70_000, 7));
    const out = relayAll(relayOf(), [
      Buffer.concat([bytes("81 01 61 89 00"), large, bytes("8a 00 81 01 62")]),
    ]);
    assert.deepEqual(shapes(out), ["81 1", "89 0", "2 65536", "80 4464", "8a 0", "81 1"]);
  });

  it("of 2^53 - 1 bytes begins like any other", () => {
    const relay = relayOf();
    assert.equal(relay.push(bytes("82 7f 001fffffffffffff")), undefined);
    assert.equal(relay.push(payloadOf(64 * KIB, 7)), undefined);
    assert.deepEqual(shapes(takeOut(relay)), ["2 65536"]);
  });

  for (const masked of [false, true]) {
    it(`of 25 MiB, ${masked ? "masked" : "unmasked"}, streams through in 64 KiB chunks with a bounded hold`, () => {
      const payload = payloadOf(25 * MIB, 3);
      const frame = buildFrame(
        masked ? { firstByte: 0x82, payload, mask: bytes("37fa213d") } : { firstByte: 0x82, payload },
      );
      const relay = relayOf({ masked });
      const hash = createHash("sha1");
      let held = 0;
      for (const chunk of cut(frame, [64 * KIB])) {
        assert.equal(relay.push(chunk), undefined);
        held = Math.max(held, relay.heldBytes);
        for (const fragment of decode(takeOut(relay))) hash.update(fragment.payload);
      }
      assert.equal(hash.digest("hex"), digest(payload));
      assert.ok(held <= MAX_HELD, `held ${held} bytes`);
    });
  }

  it("that comes in crumbs is not kept crumb by crumb", () => {
    const relay = relayOf();
    const frame = serverFrame(0x82, payloadOf(64 * KIB, 3));
    for (const chunk of cut(frame, [1])) relay.push(chunk);
    assert.ok(relay.out.length <= 65, `${relay.out.length} pieces`);
    assert.equal(digest(takeOut(relay)), digest(frame));
  });
});

describe("whatever a well-behaved peer sends, however it is cut", () => {
  const check = (property: (sent: Sent) => void) =>
    fc.assert(
      fc.property(conversations, (conversation) => property(send(conversation))),
      { numRuns: 70 },
    );

  it("comes out as the same messages and control frames in the same order", () => {
    check(({ options, frames, chunks }) => {
      const out = relayAll(relayOf(options), chunks);
      assert.deepEqual(story(decode(out)), story(frames));
    });
  });

  it("shows its owner the control frames in the same order", () => {
    check(({ options, frames, chunks }) => {
      const seen: string[] = [];
      const onControl = (opcode: number, payload: Buffer) => seen.push(`${opcode} ${hex(payload)}`) > 0;
      relayAll(relayOf({ ...options, onControl }), chunks);
      const controls = frames.filter((frame) => frame.opcode >= 8);
      assert.deepEqual(
        seen,
        controls.map((frame) => `${frame.opcode} ${hex(frame.payload)}`),
      );
    });
  });

  it("is at a frame boundary after every push, so that a ping or a Close can be put there", () => {
    check(({ options, chunks }) => {
      const relay = relayOf(options);
      for (const chunk of chunks) {
        relay.push(chunk);
        decode(takeOut(relay));
      }
    });
  });

  it("is in mid-message after a push exactly when midMessage says so", () => {
    check(({ options, chunks }) => {
      const relay = relayOf(options);
      let isOpen = false;
      for (const chunk of chunks) {
        relay.push(chunk);
        for (const frame of decode(takeOut(relay))) if (frame.opcode < 8) isOpen = !frame.fin;
        assert.equal(relay.midMessage, isOpen);
      }
    });
  });

  it("comes out byte-identical in frames of up to 64 KiB, and as the expected fragments in larger ones", () => {
    check(({ options, frames, chunks }) => {
      const expected = Buffer.concat(frames.flatMap(expectedFragments));
      const out = relayAll(relayOf(options), chunks);
      assert.deepEqual(decode(out).map(summary), decode(expected).map(summary));
      assert.ok(out.equals(expected));
    });
  });

  it("loses exactly the control frames its owner keeps", () => {
    check(({ options, frames, chunks }) => {
      const expected = Buffer.concat(frames.filter((frame) => frame.opcode < 8).flatMap(expectedFragments));
      const out = relayAll(relayOf({ ...options, onControl: () => false }), chunks);
      assert.deepEqual(decode(out).map(summary), decode(expected).map(summary));
      assert.ok(out.equals(expected));
    });
  });

  it("never makes the relay hold more than 64 KiB and a header, and nothing at the end", () => {
    check(({ options, chunks }) => {
      const relay = relayOf(options);
      for (const chunk of chunks) {
        relay.push(chunk);
        relay.out.length = 0;
        assert.ok(relay.heldBytes <= MAX_HELD, `holds ${relay.heldBytes} bytes`);
      }
      assert.equal(relay.heldBytes, 0);
    });
  });
});

describe("whatever a broken peer sends", () => {
  const anyBytes = fc.record({
    masked: fc.boolean(),
    allowedRsv: fc.constantFrom(0, 0x40, 0x70),
    sent: fc.uint8Array({ maxLength: 600 }).map((array) => Buffer.from(array)),
    cuts: fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 }),
  });
  /** Random bytes are mostly refused at the first; valid frames with one byte changed get further. */
  const damaged = fc
    .record({ conversation: conversationsOf(fc.nat(200)), at: fc.nat(), byte: fc.nat(255) })
    .map(({ conversation, at, byte }) => {
      const sent = Buffer.concat(send(conversation).chunks);
      if (sent.length > 0) sent[at % sent.length] = byte;
      return { masked: conversation.masked, allowedRsv: RSV1, sent, cuts: conversation.cuts };
    });
  const check = (property: (relay: FrameRelay, chunks: Buffer[]) => void) =>
    fc.assert(
      fc.property(fc.oneof(anyBytes, damaged), ({ masked, allowedRsv, sent, cuts }) => {
        property(relayOf({ masked, allowedRsv }), cut(sent, cuts));
      }),
      { numRuns: 500 },
    );

  it("what comes out is at a frame boundary after every push", () => {
    check((relay, chunks) => {
      for (const chunk of chunks) {
        relay.push(chunk);
        decode(takeOut(relay));
      }
    });
  });

  it("at most 64 KiB and a header is held", () => {
    check((relay, chunks) => {
      for (const chunk of chunks) {
        relay.push(chunk);
        assert.ok(relay.heldBytes <= MAX_HELD);
      }
    });
  });

  it("at most one violation is told, and nothing comes out behind it", () => {
    check((relay, chunks) => {
      let isOver = false;
      for (const chunk of chunks) {
        const violation = relay.push(chunk);
        const out = takeOut(relay);
        assert.ok(!(isOver && (violation !== undefined || out.length > 0)));
        isOver ||= violation !== undefined;
      }
    });
  });
});

// ─── a second, simple reading of RFC 6455 §5.2, to compare with ───

interface Frame {
  readonly fin: boolean;
  readonly rsv: number;
  readonly opcode: number;
  /** Unmasked. */
  readonly payload: Buffer;
  /** As it stands on the wire. */
  readonly bytes: Buffer;
  readonly mask?: Buffer;
}

/** Decodes complete frames; throws if the bytes do not end at a frame boundary. */
function decode(stream: Buffer): Frame[] {
  const frames: Frame[] = [];
  let rest = stream;
  while (rest.length > 0) {
    assert.ok(rest.length >= 2, `ends inside a header: ${hex(rest)}`);
    const short = rest[1]! % 128;
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
    const maskBytes = rest[1]! >= 128 ? 4 : 0;
    const headerBytes = 2 + lengthBytes + maskBytes;
    assert.ok(rest.length >= headerBytes, `ends inside a header: ${hex(rest)}`);
    const length = lengthBytes === 0 ? short : Number(`0x${hex(rest.subarray(2, 2 + lengthBytes))}`);
    const total = headerBytes + length;
    assert.ok(rest.length >= total, `ends inside a frame: ${rest.length} of ${total} bytes`);
    const mask = rest.subarray(headerBytes - maskBytes, headerBytes);
    const payload = rest.subarray(headerBytes, total);
    frames.push({
      fin: rest[0]! >= 128,
      rsv: (rest[0]! >> 4) % 8,
      opcode: rest[0]! % 16,
      payload: maskBytes === 0 ? payload : xor(payload, mask),
      bytes: rest.subarray(0, total),
      ...(maskBytes === 0 ? {} : { mask }),
    });
    rest = rest.subarray(total);
  }
  return frames;
}

/** What an application would see: messages when they are complete, control frames as they come. */
function story(frames: readonly Frame[]): string[] {
  const events: string[] = [];
  let open: { opcode: number; rsv: number; parts: Buffer[] } | undefined;
  for (const frame of frames) {
    if (frame.opcode >= 8) {
      events.push(`control ${frame.opcode} ${hex(frame.payload)}`);
      continue;
    }
    if (open === undefined) {
      assert.notEqual(frame.opcode, 0, "continuation without a message");
      open = { opcode: frame.opcode, rsv: frame.rsv, parts: [] };
    } else {
      assert.equal(frame.opcode, 0, "new message inside a fragmented one");
      assert.equal(frame.rsv, 0, "reserved bit on a continuation");
    }
    open.parts.push(frame.payload);
    if (!frame.fin) continue;
    const message = Buffer.concat(open.parts);
    events.push(`message ${open.opcode} rsv ${open.rsv}, ${message.length} bytes ${digest(message)}`);
    open = undefined;
  }
  assert.equal(open, undefined, "a message without its end");
  return events;
}

const summary = (f: Frame) => `fin ${f.fin} rsv ${f.rsv} opcode ${f.opcode}, ${f.payload.length} bytes`;

/** What a frame must come out as: itself up to 64 KiB, else fragments with its own masking key. */
function expectedFragments(frame: Frame): Buffer[] {
  const { payload } = frame;
  if (payload.length <= 64 * KIB) return [frame.bytes];
  const fragments: Buffer[] = [];
  for (let at = 0; at < payload.length; at += FRAGMENT_BYTES) {
    const part = payload.subarray(at, at + FRAGMENT_BYTES);
    const isLast = at + part.length === payload.length;
    const firstByte = (isLast && frame.fin ? 0x80 : 0) + (at === 0 ? frame.rsv * 16 + frame.opcode : 0);
    fragments.push(buildFrame({ firstByte, payload: part, ...(frame.mask && { mask: frame.mask }) }));
  }
  return fragments;
}

function buildFrame(frame: { firstByte: number; payload: Buffer; mask?: Buffer }): Buffer {
  const { firstByte, payload, mask } = frame;
  const form = payload.length > 0xffff ? 127 : payload.length > 125 ? 126 : payload.length;
  const lengthDigits = form === 127 ? 16 : form === 126 ? 4 : 0;
  const long = lengthDigits === 0 ? "" : payload.length.toString(16).padStart(lengthDigits, "0");
  const head = Buffer.from([firstByte, form + (mask === undefined ? 0 : 128)]);
  if (mask === undefined) return Buffer.concat([head, bytes(long), payload]);
  return Buffer.concat([head, bytes(long), mask, xor(payload, mask)]);
}

const serverFrame = (firstByte: number, payload: Buffer) => buildFrame({ firstByte, payload });

/** Masks or unmasks (RFC 6455 §5.3). */
function xor(payload: Buffer, mask: Buffer): Buffer {
  const result = Buffer.from(payload);
  for (let i = 0; i < result.length; i++) result[i] = result[i]! ^ mask[i % 4]!;
  return result;
}

const digest = (buffer: Buffer) => createHash("sha1").update(buffer).digest("hex");

/** Bytes that repeat every 251: a fragment that is lost, doubled or moved changes the payload. */
function payloadOf(length: number, seed: number): Buffer {
  const pattern = Uint8Array.from({ length: 251 }, (_, i) => i * 7 + seed);
  return Buffer.allocUnsafe(length).fill(pattern);
}

/** Cuts a stream into chunks of the given sizes, over and over. */
function cut(stream: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < stream.length; ) {
    const size = sizes[chunks.length % sizes.length]!;
    chunks.push(stream.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

// ─── what a well-behaved peer may send ───

interface Control {
  readonly opcode: number;
  readonly length: number;
}

interface Conversation {
  readonly masked: boolean;
  readonly messages: {
    readonly opcode: number;
    readonly isCompressed: boolean;
    /** The message's frames, each with the control frames that come before it. */
    readonly frames: { readonly length: number; readonly controls: Control[] }[];
  }[];
  /** Control frames behind the last message. */
  readonly trailer: Control[];
  readonly cuts: number[];
}

function conversationsOf(lengths: fc.Arbitrary<number>): fc.Arbitrary<Conversation> {
  const controls = fc.array(fc.record({ opcode: fc.constantFrom(9, 10), length: fc.nat(125) }), {
    maxLength: 2,
  });
  return fc.record({
    masked: fc.boolean(),
    messages: fc.array(
      fc.record({
        opcode: fc.constantFrom(1, 2),
        isCompressed: fc.boolean(),
        frames: fc.array(fc.record({ length: lengths, controls }), { minLength: 1, maxLength: 4 }),
      }),
      { maxLength: 5 },
    ),
    trailer: controls,
    cuts: fc.array(
      fc.oneof(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 70_000 }),
      ),
      { minLength: 1, maxLength: 8 },
    ),
  });
}

/** Frame lengths around every border, mostly short so that many frames meet in a chunk. */
const conversations = conversationsOf(
  fc.oneof(
    { weight: 12, arbitrary: fc.nat(300) },
    { weight: 2, arbitrary: fc.constantFrom(125, 126, 127, 128) },
    { weight: 2, arbitrary: fc.constantFrom(65_535, 65_536, 65_537, 131_072, 131_073) },
    { weight: 1, arbitrary: fc.integer({ min: 65_537, max: 150_000 }) },
  ),
);

interface Sent {
  readonly options: Partial<FrameRelayOptions>;
  readonly frames: Frame[];
  readonly chunks: Buffer[];
}

function send(conversation: Conversation): Sent {
  const { masked, messages, trailer, cuts } = conversation;
  const wire: Buffer[] = [];
  const add = (firstByte: number, length: number) => {
    const seed = wire.length;
    const payload = payloadOf(length, seed);
    const mask = Buffer.from([seed * 3 + 1, seed * 5 + 2, seed * 7 + 3, seed * 11 + 4]);
    wire.push(buildFrame(masked ? { firstByte, payload, mask } : { firstByte, payload }));
  };
  const addControls = (controls: readonly Control[]) => {
    for (const { opcode, length } of controls) add(0x80 | opcode, length);
  };
  for (const { opcode, isCompressed, frames } of messages) {
    frames.forEach(({ length, controls }, i) => {
      addControls(controls);
      const fin = i === frames.length - 1 ? 0x80 : 0;
      add(fin | (i > 0 ? 0 : opcode | (isCompressed ? RSV1 : 0)), length);
    });
  }
  addControls(trailer);
  const stream = Buffer.concat(wire);
  return { options: { masked, allowedRsv: RSV1 }, frames: decode(stream), chunks: cut(stream, cuts) };
}
