import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkRetention } from "./link-retention.ts";

test("messages that were answered without being stored do not make their client wait", () => {
  const retained = { bytes: 0 };
  const retention = new LinkRetention({ now: () => 0, retained });
  for (let n = 1; n <= 200_000; n++) {
    retention.keep(Buffer.from("a request"));
    retention.messageEnded();
    retention.refused(n, n - 1);
    retention.passedOn(n);
  }
  assert.equal(retention.isMuch, false);
  assert.equal(retained.bytes, 0);
  assert.equal(retention.acknowledged(200_000), true);
  assert.equal(retained.bytes, 0);
});
