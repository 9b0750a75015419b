import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ROOT } from "../helpers/clawkit.ts";
import { problemOf } from "./commands.ts";
import { countsOf, type Project, problemsOf } from "./coverage.ts";
import { parsePage, readPage } from "./page.ts";

test("every line of the page has its home in docs/playbook-coverage.md", () => {
  const markdown = readFileSync(join(ROOT, "docs/playbook-coverage.md"), "utf8");
  const project: Project = {
    hasFile: (path) => existsSync(join(ROOT, path)),
    hasCommand: (command) => problemOf(command) === undefined,
  };
  assert.deepEqual(problemsOf(readPage(), markdown, project), []);
});

describe("problemsOf", () => {
  const page = parsePage(
    "ClawKit\n\nHeading\n\nA text about a thing.\n\nBlock\nopenclaw gateway status\nps | cat",
  );
  const project: Project = {
    hasFile: (path) => path === "test/a.test.ts",
    hasCommand: (command) => command === "clawkit gateway status",
  };
  const good = `# Coverage

6 lines: 4 covered, 2 to come (issue 4: 1, issue 6: 1).

| line | text | home | state |
| ---: | --- | --- | --- |
| 1 | \`ClawKit\` | the header in \`console/index.html\` | issue 6 |
| 3 | \`Heading\` | \`clawkit playbook\` | issue 4 |
| 5 | \`A text…\` | \`test/a.test.ts\` | covered |
| 7 | \`Block\` | \`test/a.test.ts\` | covered |
| 8 | \`openclaw gateway status\` | \`clawkit gateway status\`, \`test/a.test.ts\` | covered |
| 9 | \`ps \\| cat\` | \`test/a.test.ts\` | covered |
`;

  test("finds none in a table that is right", () => {
    assert.deepEqual(problemsOf(page, good, project), []);
  });

  for (const { name, from, to, problems } of [
    {
      name: "a line without a row",
      from: /\| 5 .*\n/,
      to: "",
      problems: [
        "line 5 of the page has no row: A text about a thing.",
        "the counts are off; it must say: 5 lines: 3 covered, 2 to come (issue 4: 1, issue 6: 1).",
      ],
    },
    {
      name: "a line with two rows",
      from: /\| 7 .*\n/,
      to: "$&$&",
      problems: [
        "line 7 of the page has 2 rows",
        "the counts are off; it must say: 7 lines: 5 covered, 2 to come (issue 4: 1, issue 6: 1).",
      ],
    },
    {
      name: "a row that is about no line",
      from: "| 7 |",
      to: "| 6 |",
      problems: ["line 7 of the page has no row: Block", "row 6 is not about a line of the page: Block"],
    },
    {
      name: "a text that is not the page's",
      from: "`Block`",
      to: "`Clock`",
      problems: ['row 7: the page says "Block", not "Clock"'],
    },
    {
      name: "a shortened text that is not the page's",
      from: "A text…",
      to: "A word…",
      problems: ['row 5: the page says "A text about a thing.", not "A word…"'],
    },
    {
      name: "a test that does not exist",
      from: "text…` | `test/a.test.ts`",
      to: "text…` | `test/b.test.ts`",
      problems: ["row 5: there is no file test/b.test.ts"],
    },
    {
      name: "a command that does not exist",
      from: "Block` | ",
      to: "Block` | `clawkit doctor`, ",
      problems: ["row 7: there is no command clawkit doctor"],
    },
    {
      name: "a command of the page with another home",
      from: "`clawkit gateway status`, ",
      to: "",
      problems: ["row 8: the home of this command is `clawkit gateway status`"],
    },
    {
      name: "a covered line without a test",
      from: "`clawkit gateway status`, `test/a.test.ts`",
      to: "`clawkit gateway status`",
      problems: ["row 8: it is covered, and no test is named"],
    },
    {
      name: "a line without a home",
      from: "`clawkit playbook`",
      to: "somewhere",
      problems: ["row 3: its home names no command and no file"],
    },
    {
      name: "an issue that is not to come",
      from: "issue 4 |",
      to: "issue 2 |",
      problems: [
        "row 3: there is no issue 2 to come",
        "the counts are off; it must say: 6 lines: 4 covered, 2 to come (issue 2: 1, issue 6: 1).",
      ],
    },
    {
      name: "a state of another kind",
      from: "issue 4 |",
      to: "later |",
      problems: [
        'row 3: its state is neither "covered" nor an issue: later',
        "the counts are off; it must say: 6 lines: 4 covered, 2 to come (issue 6: 1, later: 1).",
      ],
    },
    {
      name: "counts that are off",
      from: "4 covered",
      to: "5 covered",
      problems: ["the counts are off; it must say: 6 lines: 4 covered, 2 to come (issue 4: 1, issue 6: 1)."],
    },
  ]) {
    test(`finds ${name}`, () => {
      const markdown = good.replace(from, to);
      assert.notEqual(markdown, good);
      assert.deepEqual(problemsOf(page, markdown, project), problems);
    });
  }

  test("counts a table that is complete", () => {
    assert.equal(
      countsOf([{ line: 1, text: "", home: "", state: "covered" }]),
      "1 lines: 1 covered, 0 to come.",
    );
  });
});
