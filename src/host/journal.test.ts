import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseJournal } from "./journal.ts";

// the words of systemd 252, as its own library holds them
const HINT =
  "Hint: You are currently not seeing messages from other users and the system.\n" +
  "      Users in groups 'adm', 'systemd-journal' can see all messages.\n" +
  "      Pass -q to turn off this notice.\n";

describe("parseJournal", () => {
  test("takes the lines, and not what journalctl says of itself", () => {
    assert.deepEqual(parseJournal("-- Boot 4c1f --\n[gateway] starting...\nbye\n"), [
      "[gateway] starting...",
      "bye",
    ]);
  });

  test("that is empty is empty", () => assert.deepEqual(parseJournal("-- No entries --\n"), []));

  for (const [why, text] of [
    ["of others is hidden from this user", `-- No entries --\n${HINT}`],
    [
      "may not be opened",
      "-- No entries --\nNo journal files were opened due to insufficient permissions.\n",
    ],
    ["is not there", "No journal files were found.\n-- No entries --\n"],
  ] as const) {
    test(`that ${why} could not be looked at`, () => assert.equal(parseJournal(text), undefined));
  }

  test("that shows some is what can be seen", () => {
    assert.deepEqual(parseJournal(`one\n${HINT}`), ["one"]);
  });
});
