import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { blockOf, commandsOf, parsePage, platformsOf, readPage, scriptFor } from "./page.ts";

/** SHA-256 of the page as it was published. */
const PUBLISHED = "5c62cff56a9e51524d64d00293984e6cdd486a87b93e394a13295608a0cb9030";

const page = readPage();
const blocks = page.sections.flatMap((section) => section.blocks);

test("the copy is the page, byte for byte", () => {
  const copy = readFileSync(new URL("page.txt", import.meta.url));
  assert.equal(createHash("sha256").update(copy).digest("hex"), PUBLISHED);
});

describe("the page", () => {
  test("has its sections, in its order", () => {
    assert.deepEqual(
      page.sections.map(({ heading }) => `${heading.number} ${heading.text}`),
      [
        "4 Gateway Closed (1006) Playbook",
        "6 What 1006 Means",
        "14 Next Step",
        "16 Fix now, then reduce repeat incidents",
        "20 1-Minute Recovery Sequence",
        "43 Root Cause 1: Gateway Process Crashed",
        "47 How to Confirm",
        "59 Fix",
        "71 Root Cause 2: Network Drop or Firewall",
        "75 VPN reconnections",
        "79 Corporate firewalls",
        "83 Router NAT timeout",
        "87 Stabilize Network Path",
        "99 Root Cause 3: Docker Container Exited",
        "116 Add restart: unless-stopped",
        "129 Root Cause 4: Zombie Process Conflict",
        "143 Still Getting 1006?",
        "153 Did this guide solve your problem?",
      ],
    );
  });

  test("has its command blocks, in its order", () => {
    assert.deepEqual(
      blocks.map(({ title, lines }) => `${title.number} ${title.text}: ${lines.length} lines`),
      [
        "24 1006 Recovery Sequence: 17 lines",
        "49 Check Gateway Process: 8 lines",
        "61 Restart Gateway: 6 lines",
        "89 Baseline Network Checks: 8 lines",
        "103 Docker Gateway Debug: 11 lines",
        "120 Docker Compose Restart Policy: 7 lines",
        "133 Kill Zombie on Port 18789: 8 lines",
        "149 Run CLI Doctor: 2 lines",
      ],
    );
  });

  test("loses no line: each is in the header, a heading, a text or a block, once", () => {
    const found = [
      ...page.header,
      ...page.sections.flatMap(({ heading, text, blocks }) => [
        heading,
        ...text,
        ...blocks.flatMap(({ title, lines }) => [title, ...lines.filter((line) => line.text !== "")]),
      ]),
    ];
    assert.deepEqual(
      found.sort((a, b) => a.number - b.number),
      page.lines,
    );
  });

  test("numbers lines as an editor does", () => {
    const lines = readFileSync(new URL("page.txt", import.meta.url), "utf8").split("\n");
    for (const { number, text } of page.lines) assert.equal(lines[number - 1], text);
    for (const { number, text } of blocks.flatMap((block) => block.lines)) {
      assert.equal(lines[number - 1], text);
    }
  });
});

describe("what a person pastes", () => {
  test("on Linux: everything but the Windows lines", () => {
    assert.equal(
      scriptFor(blockOf(page, "1006 Recovery Sequence"), "linux"),
      `# 1. Check if Gateway process is running
# macOS/Linux:
ps aux | grep openclaw

# 2. Check if port 18789 is occupied
# macOS/Linux:
lsof -i :18789

# 3. Restart the Gateway
openclaw gateway restart

# 4. Check Gateway health
openclaw gateway status
`,
    );
  });

  test("on Windows: everything but the lines for macOS and Linux", () => {
    assert.deepEqual(commandsOf(scriptFor(blockOf(page, "Kill Zombie on Port 18789"), "windows")), [
      `for /f "tokens=5" %a in ('netstat -ano ^| findstr :18789') do taskkill /PID %a /F`,
      "openclaw gateway start",
    ]);
  });

  test("on macOS: the same as on Linux", () => {
    for (const block of blocks) assert.equal(scriptFor(block, "macos"), scriptFor(block, "linux"));
  });

  test("an empty line ends what is meant for one platform", () => {
    const block = blockOf(page, "Check Gateway Process");
    assert.deepEqual(
      block.lines.filter(({ text }) => text !== "").map((line) => platformsOf(block, line).join(" ")),
      ["linux macos", "linux macos", "windows", "windows", "linux macos windows", "linux macos windows"],
    );
  });
});

describe("parsePage", () => {
  test("reads header, heading, text, block and its continuation", () => {
    const { header, sections } = parsePage(
      "Name\nof the page\n\nHeading\n\nText.\n\nTitle\nls\n\n# more\nps",
    );
    assert.deepEqual(header, [
      { number: 1, text: "Name" },
      { number: 2, text: "of the page" },
    ]);
    assert.deepEqual(sections, [
      {
        heading: { number: 4, text: "Heading" },
        text: [{ number: 6, text: "Text." }],
        blocks: [
          {
            title: { number: 8, text: "Title" },
            lines: [
              { number: 9, text: "ls" },
              { number: 10, text: "" },
              { number: 11, text: "# more" },
              { number: 12, text: "ps" },
            ],
          },
        ],
      },
    ]);
  });

  test("says which line it cannot place", () => {
    assert.throws(() => parsePage("Name\n\nHeading\n\n# more\nps"), {
      message: "line 5 continues no block: # more",
    });
    assert.throws(() => parsePage("Name\n\nText."), { message: "line 3 is in no section: Text." });
  });

  test("does not know a block that is not there", () => {
    assert.throws(() => blockOf(page, "Kill Everything"), {
      message: "The page has no block Kill Everything",
    });
  });
});
