import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { includesScope } from "./scopes.ts";

describe("a scope", () => {
  const cases: [granted: string[], scope: string, isIncluded: boolean][] = [
    [["operator.read"], "operator.read", true],
    [["operator.write"], "operator.read", true],
    [["operator.read"], "operator.write", false],
    [["operator.admin"], "operator.pairing", true],
    [["operator.pairing"], "operator.read", false],
    [["operator.write"], "operator.talk", true],
    [["operator.write"], "operator.sessions.write", true],
    [["operator.read"], "operator.sessions.read", true],
    [["operator.read"], "operator.sessions.write", false],
    [["operator.write"], "operator.approvals", false],
    // a device could ask an admin for anything, and was given it
    [["operator.admin"], "worker.launch", false],
    [["operator.admin"], "__proto__", false],
    [["operator.write"], "constructor", false],
    [[], "operator.read", false],
  ];
  for (const [granted, scope, isIncluded] of cases) {
    it(`${scope} is ${isIncluded ? "" : "not "}included in ${granted.join(", ") || "nothing"}`, () =>
      assert.equal(includesScope(granted, scope), isIncluded));
  }
});
