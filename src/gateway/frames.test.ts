import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EncodedEvent, errorFrame, MethodError, responseFrame } from "./frames.ts";

describe("a response", () => {
  it("carries the id of its request and the result", () => {
    assert.equal(responseFrame("7", { ok: true }), '{"type":"res","id":"7","ok":true,"payload":{"ok":true}}');
  });

  it("without a result has no payload", () => {
    assert.equal(responseFrame("7", undefined), '{"type":"res","id":"7","ok":true}');
  });

  it("with an error carries what the client should know of it", () => {
    const error = { code: "UNAVAILABLE", message: "busy", retryable: true, retryAfterMs: 500 };
    assert.equal(
      errorFrame("7", error),
      '{"type":"res","id":"7","ok":false,"error":{"code":"UNAVAILABLE","message":"busy","retryable":true,"retryAfterMs":500}}',
    );
  });
});

describe("an event", () => {
  it("gets its number when it is sent", () => {
    const event = new EncodedEvent("tick", { ts: 1 });
    assert.deepEqual(
      [event.withSeq(1), event.withSeq(2)],
      [
        '{"type":"event","event":"tick","payload":{"ts":1},"seq":1}',
        '{"type":"event","event":"tick","payload":{"ts":1},"seq":2}',
      ],
    );
  });

  it("carries a state version if it has one", () => {
    assert.equal(
      new EncodedEvent("presence", { presence: [] }, { presence: 3, health: 1 }).withSeq(1),
      '{"type":"event","event":"presence","payload":{"presence":[]},"stateVersion":{"presence":3,"health":1},"seq":1}',
    );
  });

  it("may have no payload", () => {
    assert.equal(new EncodedEvent("tick", undefined).withSeq(1), '{"type":"event","event":"tick","seq":1}');
  });

  it("is JSON, whatever its texts contain", () => {
    const payload = { text: '"} ,"seq":9}\u2028\ud800' };
    assert.deepEqual(JSON.parse(new EncodedEvent("x", payload).withSeq(5)), {
      type: "event",
      event: "x",
      payload,
      seq: 5,
    });
  });
});

describe("a method's error", () => {
  it("keeps its shape and has its message", () => {
    const shape = { code: "FORBIDDEN", message: "missing scope: operator.admin" };
    const error = new MethodError(shape);
    assert.deepEqual([error.message, error.shape], [shape.message, shape]);
  });
});
