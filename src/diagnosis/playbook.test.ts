import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { allCauses } from "./causes/index.ts";
import type { Examination } from "./doctor.ts";
import { creditedCause, saveFeedback, seenHere } from "./feedback.ts";
import { infer, ranked } from "./infer.ts";
import { parsePlaybook, plainText } from "./playbook.ts";
import { answersTo, relevanceOf } from "./playbook-here.ts";
import type { Cause, Fact, Finding } from "./types.ts";

const textOf = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const sections = parsePlaybook(textOf("playbooks/1006.md"));
const section = (heading: string) => sections.find((one) => one.heading.startsWith(heading))!;

describe("playbooks/1006.md", () => {
  test("has every line of the page, in its order", () => {
    const ours = sections
      .flatMap(({ heading, lines }) => [
        heading,
        ...lines.flatMap(({ kind, text, title = [] }) =>
          [title, kind === "code" ? text : plainText(text)].flat(),
        ),
      ])
      .join("\n")
      .replace(/^- ([^:]+): /gm, "$1\n"); // its little headings begin our list
    // the logo is the console's
    const page = textOf("test/playbook/page.txt")
      .split("\n")
      .slice(2)
      .map((line) => line.trimEnd())
      .filter((line) => line !== "");
    let from = 0;
    for (const line of page) {
      const at = ours.indexOf(line.replaceAll("`", ""), from);
      assert.notEqual(at, -1, `not there, or not in this place: ${line}`);
      from = at;
    }
  });

  test("names causes that there are", () => {
    const known = allCauses.map(({ id }) => id);
    for (const { heading, causes } of sections) {
      for (const id of causes) assert.ok(known.includes(id), `${heading}: ${id}`);
    }
  });
});

function examination(verdict: "healthy" | "likely" | "confirmed", ...ids: string[]): Examination {
  const held = verdict === "confirmed" ? ("confirmed" as const) : ("likely" as const);
  const causes = ids.map((id) => ({ id, title: id, verdict: held, evidence: [], remedies: [] }));
  return { diagnosis: { verdict, causes }, facts: [], notLooked: [] };
}

describe("what of the page is about this machine", () => {
  test("the section of the cause that was found", () => {
    const found = relevanceOf(section("Root Cause 4"), examination("likely", "port-conflict"));
    assert.equal(found.kind === "holds" && found.finding.id, "port-conflict");
  });

  test("not the others", () => {
    const found = relevanceOf(section("Root Cause 2"), examination("confirmed", "port-conflict"));
    assert.deepEqual(found, { kind: "ruled out", why: "it is port-conflict (confirmed)" });
  });

  test("the others stay open while it is only likely", () => {
    const found = relevanceOf(section("Root Cause 2"), examination("likely", "port-conflict"));
    assert.equal(found.kind, "open");
  });

  test("none, where the gateway is well", () => {
    assert.equal(relevanceOf(section("Root Cause 1"), examination("healthy")).kind, "ruled out");
  });

  test("what one client can have, also where the gateway is well", () => {
    assert.equal(relevanceOf(section("Root Cause 2"), examination("healthy")).kind, "open");
  });

  test("why it was away, where the gateway is well again", () => {
    const past = { id: "oom", title: "", verdict: "confirmed" as const, evidence: [], remedies: [] };
    const well: Examination = {
      diagnosis: { verdict: "healthy", causes: [past] },
      facts: [],
      notLooked: [],
    };
    const found = relevanceOf(section("Root Cause 1"), well);
    assert.equal(found.kind === "holds" && found.finding.id, "oom");
    assert.equal(relevanceOf(section("Root Cause 4"), well).kind, "ruled out");
  });

  test("that of containers, of whatever its container ended", () => {
    const evidence = [{ id: "ended-oom", detail: "", source: "docker inspect openclaw-gateway" }];
    const oom = { id: "oom", title: "", verdict: "confirmed" as const, evidence, remedies: [] };
    const of = (one: Finding): Examination => ({
      diagnosis: { verdict: "confirmed", causes: [one] },
      facts: [],
      notLooked: [],
    });
    assert.equal(relevanceOf(section("Root Cause 3"), of(oom)).kind, "holds");
    assert.equal(relevanceOf(section("Root Cause 3"), of({ ...oom, evidence: [] })).kind, "ruled out");
  });

  test("a text about no cause stays as it is", () => {
    assert.equal(relevanceOf(section("What 1006 Means"), examination("healthy")).kind, "open");
  });

  test("commands that only look are answered, of this platform only", () => {
    const facts: Fact[] = [{ id: "port-free", detail: "nothing listens", source: "x" }];
    const found = (text: string, platform: NodeJS.Platform) => {
      const line = section("1-Minute").lines.find((one) => one.text === text)!;
      return answersTo(line, { facts, notLooked: [] }, platform)?.found;
    };
    assert.deepEqual(found("lsof -i :18789", "linux"), ["nothing listens"]);
    assert.equal(found("lsof -i :18789", "win32"), undefined);
    assert.equal(found("netstat -ano | findstr :18789", "linux"), undefined);
    assert.deepEqual(found("netstat -ano | findstr :18789", "win32"), ["nothing listens"]);
    assert.deepEqual(found("openclaw gateway status", "darwin"), ["nothing was found"]);
    assert.equal(found("openclaw gateway restart", "linux"), undefined);
  });
});

describe("the answer to its question", () => {
  const cause = (id: string, seen: number): Cause => ({
    id,
    title: id,
    likelyIf: [["f"]],
    seen,
    remedies: [],
  });
  const facts: Fact[] = [{ id: "f", detail: "", source: "" }];

  test("puts the cause that was right here before one that is right more often elsewhere", async () => {
    const folder = await mkdtemp(join(tmpdir(), "clawkit-test-"));
    const path = join(folder, "feedback.jsonl");
    try {
      const causes = [cause("often", 9), cause("here", 1)];
      assert.equal(infer(facts, causes, await seenHere(path)).causes[0]!.id, "often");

      await saveFeedback(path, { at: "2026-01-01T00:00:00Z", playbook: "1006", solved: true, cause: "here" });

      assert.equal(infer(facts, causes, await seenHere(path)).causes[0]!.id, "here");
      assert.equal((await stat(path)).mode & 0o077, 0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("counts for what that playbook is about, whatever else stands first", () => {
    const finding = (id: string, verdict: Finding["verdict"]): Finding => ({
      id,
      title: id,
      verdict,
      evidence: [],
      remedies: [],
    });
    const found = [
      finding("other", "confirmed"),
      finding("out", "ruled out"),
      finding("b", "possible"),
      finding("a", "possible"),
    ];
    const credited = (repaired?: string, ...causes: string[]) =>
      creditedCause(new Set(causes), { repaired, found });
    assert.equal(credited(undefined, "a", "b", "out"), "b");
    assert.equal(credited("a", "a", "b"), "a", "what was repaired");
    assert.equal(credited("other", "a", "b"), "b", "what was repaired is no matter of that playbook");
    assert.equal(credited(undefined, "out", "never"), null);
    assert.equal(credited(undefined, "only"), "only", "it is about nothing else");
  });

  test("changes the order of what was found before it, roots still first", () => {
    const causes = [cause("often", 9), cause("here", 1), { ...cause("root", 0), likelyIf: [["f"]] }];
    causes[0] = { ...causes[0]!, because: ["root"] };
    const before = infer(facts, causes).causes;
    assert.deepEqual(
      before.map(({ id }) => id),
      ["root", "often", "here"],
    );
    const after = ranked(before, causes, new Map([["here", 1]]));
    assert.deepEqual(
      after.map(({ id, seenHere }) => [id, seenHere]),
      [
        ["here", 1],
        ["root", undefined],
        ["often", undefined],
      ],
    );
    assert.deepEqual(ranked(after, causes, new Map()), before);
  });

  test("counts against a cause that was wrong, and a cut line is passed over", async () => {
    const folder = await mkdtemp(join(tmpdir(), "clawkit-test-"));
    const path = join(folder, "feedback.jsonl");
    try {
      await writeFile(path, '{"cause":"a","solved":false}\n{"cause":"a","sol');
      assert.deepEqual([...(await seenHere(path))], [["a", -1]]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
