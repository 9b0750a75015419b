import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { allCauses } from "./causes/index.ts";
import { explainText } from "./explain.ts";
import { saidByOpenClaw } from "./facts/said-by-openclaw.ts";
import { saidBySystems } from "./facts/said-by-systems.ts";

interface Report {
  readonly id: string;
  readonly text: string;
  readonly cause: string;
}

const lines = <T>(name: string): T[] =>
  readFileSync(new URL(`../../test/fixtures/reports/${name}`, import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as T);

const reports = lines<Report>("reports.jsonl");
const known = reports.filter(({ cause }) => cause !== "unknown");

/** The causes that hold, best first. */
function causesOf(text: string): string[] {
  return explainText(text)
    .causes.filter(({ verdict }) => verdict !== "ruled out")
    .map(({ id }) => id);
}

function share<T>(items: readonly T[], is: (item: T) => boolean): number {
  return items.filter(is).length / items.length;
}

describe("real reports whose cause was established", () => {
  test("have it first in 95 of 100", () => {
    assert.ok(share(known, ({ text, cause }) => causesOf(text)[0] === cause) >= 0.95);
  });

  test("have it among three in 97 of 100", () => {
    assert.ok(share(known, ({ text, cause }) => causesOf(text).slice(0, 3).includes(cause)) >= 0.97);
  });
});

test("real reports whose cause was never established are inconclusive", () => {
  for (const { id, text, cause } of reports) {
    if (cause === "unknown") assert.equal(explainText(text).verdict, "inconclusive", id);
  }
});

describe("texts about something else are inconclusive", () => {
  for (const { what, text } of lines<{ what: string; text: string }>("unrelated.jsonl")) {
    test(what, () => assert.equal(explainText(text).verdict, "inconclusive"));
  }

  test("10 MB of noise, in no time", () => {
    assert.equal(explainText(randomBytes(10 * 1024 * 1024).toString("latin1")).verdict, "inconclusive");
  });

  test("10 MB in one line", () => {
    assert.equal(explainText("a gateway is a gate ".repeat(500_000)).verdict, "inconclusive");
  });
});

describe("the traps", () => {
  test("10061 is no 1006", () => {
    const { facts } = explainText("connectex: No connection could be made, error 10061");
    assert.ok(!facts.some(({ id }) => id === "closed-1006-said"));
  });

  test("a bare 1006 confirms nothing", () => {
    const { verdict, causes } = explainText(
      "gateway closed (1006 abnormal closure (no close frame)): no close reason",
    );
    assert.deepEqual([verdict, causes], ["inconclusive", []]);
  });

  test("Discord's own socket is not the gateway's", () => {
    const text = "[discord] gateway: WebSocket connection closed with code 1006\n[openclaw] gateway ready";
    assert.equal(explainText(text).verdict, "inconclusive");
  });
});

describe("the evidence", () => {
  test("is the line, with its number", () => {
    const { causes } = explainText(
      "one\ntwo: another gateway instance is already listening on ws://127.0.0.1:18789\nthree",
    );
    assert.deepEqual(causes[0]?.evidence, [
      {
        id: "port-taken-said",
        detail: "two: another gateway instance is already listening on ws://127.0.0.1:18789",
        source: "line 2",
      },
    ]);
  });
});

/** `port-` and whose it is, `ours-` and our state, `clients-` and the cause of their ends. */
const MADE_UP_OF_PARTS = /^(port|ours|clients)-[a-z-]+$/;

describe("the rules", () => {
  const rules = new Set([...saidByOpenClaw, ...saidBySystems].map(({ id }) => id));

  test("have names of their own", () => {
    assert.equal(rules.size, saidByOpenClaw.length + saidBySystems.length);
  });

  test("are each used by a cause", () => {
    const groups = allCauses.flatMap(({ confirmedBy = [], likelyIf = [], possibleIf = [] }) => [
      ...confirmedBy,
      ...likelyIf,
      ...possibleIf,
    ]);
    const used = new Set([...groups.flat(), ...allCauses.flatMap(({ ruledOutBy = [] }) => ruledOutBy)]);
    used.add("about-gateway"); // decides whether a text may be more than possible
    assert.deepEqual(
      [...rules].filter((id) => !used.has(id)),
      [],
    );
  });

  const looks = globSync("src/diagnosis/facts/*.ts")
    .map((path) => readFileSync(path, "utf8"))
    .join("");
  const isFact = (id: string) => rules.has(id) || looks.includes(`"${id}"`) || MADE_UP_OF_PARTS.test(id);

  for (const cause of allCauses) {
    test(`of ${cause.id} rest on facts that something can say, and its roots are causes`, () => {
      const groups = [...(cause.confirmedBy ?? []), ...(cause.likelyIf ?? []), ...(cause.possibleIf ?? [])];
      for (const id of [...groups.flat(), ...(cause.ruledOutBy ?? [])]) assert.ok(isFact(id), id);
      for (const id of cause.because ?? []) {
        assert.ok(
          allCauses.some((other) => other.id === id),
          id,
        );
      }
    });
  }
});
