import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FirstMessage } from "./first-message.ts";
import { encodeFrame, encodeHeader, OPCODE } from "./frames.ts";

const MASK = Buffer.from("37fa213d", "hex");
const MORE = "more";

const text = (words: string) => encodeFrame(OPCODE.text, Buffer.from(words), MASK);
const hex = (bytes: string) => Buffer.from(bytes.replaceAll(" ", ""), "hex");

/** What each of these chunks was answered with. */
function read(...chunks: Buffer[]) {
  const message = new FirstMessage();
  return chunks.map((chunk) => message.push(chunk));
}

describe("the first message", () => {
  it("is read from one text frame (RFC 6455 §5.7: a masked Hello)", () => {
    assert.deepEqual(read(hex("81 85 37fa213d 7f9f4d5158")), [{ text: "Hello" }]);
  });

  it("is complete with its last byte, when the bytes come one by one", () => {
    const bytes = text('{"type":"req"}');
    const answers = read(...[...bytes].map((byte) => Buffer.from([byte])));
    assert.deepEqual(answers.slice(0, -1), Array(bytes.length - 1).fill(MORE));
    assert.deepEqual(answers.at(-1), { text: '{"type":"req"}' });
  });

  for (const [name, bytes] of [
    ["of 125 bytes: the longest short length", 125],
    ["of 126 bytes: the first with 2 bytes of length", 126],
    ["of 65,535 bytes less their header", 65_535 - 8],
  ] as const) {
    it(`is read ${name}`, () =>
      assert.deepEqual(read(text("x".repeat(bytes))), [{ text: "x".repeat(bytes) }]));
  }

  it("may be UTF-8 whose characters come apart", () => {
    const bytes = text("größe €");
    assert.deepEqual(read(bytes.subarray(0, 9), bytes.subarray(9)), [MORE, { text: "größe €" }]);
  });

  it("may be empty", () => assert.deepEqual(read(text("")), [{ text: "" }]));

  it("is the first of two that come together", () => {
    assert.deepEqual(read(Buffer.concat([text("one"), text("two")])), [{ text: "one" }]);
  });

  it("need not be JSON: its reader decides", () => {
    assert.deepEqual(read(text("hello there")), [{ text: "hello there" }]);
  });
});

describe("control frames before it", () => {
  const ping = encodeFrame(OPCODE.ping, Buffer.from("are you there?"), MASK);
  const pong = encodeFrame(OPCODE.pong, Buffer.alloc(0), MASK);

  it("are passed over, whole", () => {
    assert.deepEqual(read(ping, pong, text("hello")), [MORE, MORE, { text: "hello" }]);
  });

  it("are passed over, byte by byte and in one piece with it", () => {
    const bytes = Buffer.concat([ping, pong, ping, text("hello")]);
    const answers = read(...[...bytes].map((byte) => Buffer.from([byte])));
    assert.deepEqual([answers.at(-2), answers.at(-1)], [MORE, { text: "hello" }]);
    assert.deepEqual(read(bytes), [{ text: "hello" }]);
  });

  it("do not use up the room of the message, however many there are", () => {
    const pings = Array(10_000).fill(ping) as Buffer[];
    assert.deepEqual(read(...pings, text("hello")).at(-1), { text: "hello" });
  });

  it("may be a Close: then nothing more comes", () => {
    assert.deepEqual(read(encodeFrame(OPCODE.close, Buffer.alloc(0), MASK)), [MORE]);
  });
});

describe("no first message", () => {
  const cases: readonly [name: string, bytes: Buffer][] = [
    ["a binary frame", encodeFrame(OPCODE.binary, Buffer.from("{}"), MASK)],
    ["the first fragment of a text", hex("01 82 00000000 6869")],
    ["a continuation of nothing", hex("80 82 00000000 6869")],
    ["a compressed text (RSV1)", hex("c1 82 00000000 6869")],
    ["a text of more than 64 KiB, by its header alone", header(64 * 1024 + 1)],
    ["a text of 8 PiB, by its header alone", header(2 ** 53 - 1)],
    ["a binary frame behind a ping", Buffer.concat([hex("89 80 00000000"), hex("82 80 00000000")])],
  ];
  for (const [name, bytes] of cases) {
    it(`is ${name}`, () => assert.deepEqual(read(bytes), [undefined]));
  }
});

function header(length: number): Buffer {
  return encodeHeader({ firstByte: 0x81, length, mask: MASK });
}
