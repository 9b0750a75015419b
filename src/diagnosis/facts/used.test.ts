import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { allCauses } from "../causes/index.ts";

/** Shown to whoever reads the facts, and on purpose no reason for anything by themselves. */
const CONTEXT = new Map([
  ["http-answers", "the doctor: with our own word it is a gateway that serves"],
  ["upgrade-accepted", "the doctor: a gateway that serves"],
  ["family-lives", "repairs: no second gateway is started"],
  ["lock-held", "repairs: no second gateway is started"],
  ["service-running", "repairs: no second gateway is started"],
  ["service-switched-off", "repairs: it is not started, and what a person can type is told"],
  ["container-of-gateway", "repairs: it is what they start"],
  ["containers-several", "which one was looked at"],
  ["port-container", "whose proxy holds the port"],
  ["last-line", "the doctor: told with an end"],
  ["exit-line", "the doctor: told with an end"],
  ["openclaw-version", "which version it is: known-bad ranges have facts of their own"],
  ["keepalive-shortened", "a line of the report: the edge takes care of it"],
  ["name-resolved", "which address was asked"],
]);

// a fact that nobody uses costs time and tells nobody anything
test("every fact that a look finds decides something", () => {
  const groups = allCauses.flatMap(
    ({ confirmedBy = [], likelyIf = [], possibleIf = [], ruledOutBy = [] }) => [
      ...[...confirmedBy, ...likelyIf, ...possibleIf].flat(),
      ...ruledOutBy,
    ],
  );
  const used = new Set(groups);
  const looks = globSync("src/diagnosis/facts/*.ts").filter((path) => !/\.test\.ts$|said-|probe/.test(path));
  const found = looks.flatMap((path) => {
    const text = readFileSync(path, "utf8");
    // a look has an id, too: it stands alone on its line
    return [...text.matchAll(/(?:\bid: |\badd\(\s*)"([a-z-]+)"(?!,\n {2}what:)/g)].map((match) => match[1]!);
  });
  assert.ok(found.length > 60, `found ${found.length}`);
  assert.deepEqual(
    [...new Set(found)].filter((id) => !used.has(id) && !CONTEXT.has(id)),
    [],
  );
});
