import assert from "node:assert/strict";
import { test } from "node:test";
import { type ProcessEnd, wasKilled } from "./process-end.ts";

const killed = (end: Partial<ProcessEnd>) => wasKilled({ code: null, signal: null, by: "itself", ...end });

test("was killed: by a signal that others send, and not by us, who send one to what hangs", () => {
  assert.equal(killed({ signal: "SIGKILL" }), true);
  assert.equal(killed({ signal: "SIGTERM" }), true);
  assert.equal(killed({ signal: "SIGKILL", by: "supervisor" }), false);
  assert.equal(killed({ signal: "SIGKILL", by: "operator" }), false);
  assert.equal(killed({ signal: "SIGABRT" }), false);
  assert.equal(killed({ signal: "SIGSEGV" }), false);
  assert.equal(killed({ code: 134 }), false);
  assert.equal(killed({ code: 0 }), false);
});
