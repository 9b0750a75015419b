import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Random } from "../../test/helpers/random.ts";
import { FRAGMENT_BYTES, FrameRelay } from "./frame-relay.ts";
import { encodeFrame, headerLength, OPCODE, payloadLength } from "./frames.ts";

const relay = () => new FrameRelay({ masked: false, allowedRsv: 0, onControl: () => true });

/** The payloads of the messages in a stream of unmasked frames. */
function messagesIn(stream: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  let open: Buffer[] = [];
  for (let at = 0; at < stream.length; ) {
    const header = headerLength(stream, at);
    const length = payloadLength(stream, at);
    const opcode = stream[at]! & 0x0f;
    assert.equal(opcode === OPCODE.continuation, open.length > 0, `opcode ${opcode} at ${at}`);
    open.push(stream.subarray(at + header, at + header + length));
    if ((stream[at]! & 0x80) !== 0) {
      messages.push(Buffer.concat(open));
      open = [];
    }
    at += header + length;
  }
  assert.deepEqual(open, [], "a message has no end");
  return messages;
}

describe("a relay whose sender breaks off, and whose next sender begins with the same message", () => {
  const random = new Random(7);
  const sizes = [
    0,
    1,
    1_000,
    FRAGMENT_BYTES,
    FRAGMENT_BYTES + 1,
    2 * FRAGMENT_BYTES,
    5 * FRAGMENT_BYTES + 17,
  ];
  for (const size of sizes) {
    test(`passes a message of ${size} bytes on once, wherever it broke off`, () => {
      const message = random.bytes(size);
      const frame = encodeFrame(OPCODE.text, message);
      const next = encodeFrame(OPCODE.text, Buffer.from("the next one"));
      const cuts = [0, 1, 2, 9, 10, 11, ...Array.from({ length: 40 }, () => random.below(frame.length + 1))];
      for (const cut of cuts.filter((at) => at < frame.length)) {
        const one = relay();
        assert.equal(one.push(frame.subarray(0, cut)), undefined);
        one.restart();
        assert.equal(one.push(Buffer.concat([frame, next])), undefined, `cut at ${cut}`);
        assert.deepEqual(
          messagesIn(Buffer.concat(one.out)),
          [message, Buffer.from("the next one")],
          `cut at ${cut}`,
        );
        assert.equal(one.messages, 2);
      }
    });
  }

  test("breaks off again", () => {
    const message = random.bytes(6 * FRAGMENT_BYTES);
    const frame = encodeFrame(OPCODE.text, message);
    const one = relay();
    for (const cut of [3.5, 1.2, 4.9, 0.1].map((share) => Math.round(share * FRAGMENT_BYTES))) {
      assert.equal(one.push(frame.subarray(0, cut)), undefined);
      one.restart();
    }
    assert.equal(one.push(frame), undefined);
    assert.deepEqual(messagesIn(Buffer.concat(one.out)), [message]);
  });

  test("takes no shorter message in its place", () => {
    const one = relay();
    one.push(encodeFrame(OPCODE.text, Buffer.alloc(4 * FRAGMENT_BYTES)).subarray(0, 3 * FRAGMENT_BYTES));
    one.restart();
    const violation = one.push(encodeFrame(OPCODE.text, Buffer.from("short")));
    assert.match(violation!.message, /another message than before/);
  });
});
