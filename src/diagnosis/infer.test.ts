import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { infer } from "./infer.ts";
import type { Cause, Fact } from "./types.ts";

const fact = (id: string): Fact => ({ id, detail: `about ${id}`, source: "test" });
const facts = (...ids: string[]) => ids.map(fact);

function cause(id: string, rules: Partial<Cause>): Cause {
  return { id, title: id, seen: 1, remedies: [], ...rules };
}

/** What is thought of the causes, best first: `oom likely`. */
function told(ids: readonly string[], causes: readonly Cause[]): string[] {
  return infer(facts(...ids), causes).causes.map(({ id, verdict }) => `${id} ${verdict}`);
}

describe("a cause", () => {
  const oom = cause("oom", {
    confirmedBy: [["heap"]],
    likelyIf: [["killed", "full"]],
    possibleIf: [["full"]],
    ruledOutBy: ["alive"],
  });

  test("is confirmed by what confirms it", () => assert.deepEqual(told(["heap"], [oom]), ["oom confirmed"]));
  test("is likely if all of a group is there", () => {
    assert.deepEqual(told(["killed", "full"], [oom]), ["oom likely"]);
  });
  test("is only possible with a part of it", () => assert.deepEqual(told(["full"], [oom]), ["oom possible"]));
  test("is not told of without any of it", () => assert.deepEqual(told(["killed"], [oom]), []));
  test("is ruled out by one fact against it, with that as its evidence", () => {
    const [finding] = infer(facts("heap", "alive"), [oom]).causes;
    assert.deepEqual([finding?.verdict, finding?.evidence.map(({ id }) => id)], ["ruled out", ["alive"]]);
  });
  test("has each fact once as evidence", () => {
    const [finding] = infer(facts("killed", "full", "heap"), [oom]).causes;
    assert.deepEqual(
      finding?.evidence.map(({ id }) => id),
      ["heap", "killed", "full"],
    );
  });
});

describe("the weight of a fact", () => {
  const oom = cause("oom", { confirmedBy: [["heap"]], ruledOutBy: ["alive"] });
  const weighed = (id: string, weight: NonNullable<Fact["weight"]>): Fact => ({ ...fact(id), weight });
  const verdictOf = (...known: Fact[]) => infer(known, [oom]).causes[0]?.verdict;

  test("of a machine or of a program's line confirms", () => {
    assert.equal(verdictOf(fact("heap")), "confirmed");
    assert.equal(verdictOf(weighed("heap", "logged")), "confirmed");
  });
  test("of a program's words in prose, or of a person's, makes likely", () => {
    assert.equal(verdictOf(weighed("heap", "quoted")), "likely");
    assert.equal(verdictOf(weighed("heap", "told")), "likely");
  });
  test("of a guess makes possible, and rules nothing out", () => {
    assert.equal(verdictOf(weighed("heap", "guessed")), "possible");
    assert.equal(verdictOf(fact("heap"), weighed("alive", "guessed")), "confirmed");
  });
  test("orders equals: a program's message before a symptom", () => {
    const causes = [cause("told", { likelyIf: [["a"]], seen: 9 }), cause("said", { likelyIf: [["b"]] })];
    const { causes: found } = infer([weighed("a", "told"), weighed("b", "quoted")], causes);
    assert.deepEqual(
      found.map(({ id }) => id),
      ["said", "told"],
    );
  });
});

describe("the order", () => {
  test("is by verdict, then by facts, then by how often it was right", () => {
    const causes = [
      cause("rare", { likelyIf: [["a"]], seen: 1 }),
      cause("common", { likelyIf: [["a"]], seen: 9 }),
      cause("rich", { likelyIf: [["a", "b"]] }),
      cause("sure", { confirmedBy: [["a"]] }),
      cause("vague", { possibleIf: [["a", "b", "c"]] }),
    ];
    assert.deepEqual(told(["a", "b", "c"], causes), [
      "sure confirmed",
      "rich likely",
      "common likely",
      "rare likely",
      "vague possible",
    ]);
  });

  test("puts a root before what is there because of it", () => {
    const causes = [
      cause("not-listening", { confirmedBy: [["free"]], because: ["config-invalid"] }),
      cause("config-invalid", { likelyIf: [["key"]] }),
    ];
    assert.deepEqual(told(["free", "key"], causes), ["config-invalid likely", "not-listening confirmed"]);
  });

  test("does not put a mere possibility before what is sure", () => {
    const causes = [
      cause("not-listening", { confirmedBy: [["free"]], because: ["config-invalid"] }),
      cause("config-invalid", { possibleIf: [["key"]] }),
    ];
    assert.deepEqual(told(["free", "key"], causes), ["not-listening confirmed", "config-invalid possible"]);
  });
});

describe("the whole", () => {
  test("is inconclusive without facts, with possibilities only, with all ruled out", () => {
    const one = cause("one", { possibleIf: [["a"]], likelyIf: [["b"]], ruledOutBy: ["c"] });
    assert.equal(infer([], [one]).verdict, "inconclusive");
    assert.equal(infer(facts("a"), [one]).verdict, "inconclusive");
    assert.equal(infer(facts("b", "c"), [one]).verdict, "inconclusive");
    assert.equal(infer(facts("b"), [one]).verdict, "likely");
  });
});
