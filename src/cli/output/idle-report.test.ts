import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IdleReport } from "../../probe/types.ts";
import { idleLines } from "./idle-report.ts";

/** A path without a limit, of which all was tried. */
const NONE: IdleReport = {
  limitSec: null,
  toleranceSec: null,
  kind: "none",
  recommendedKeepaliveSec: 20,
  code: null,
  reason: null,
  survivedSec: 600,
  othersSurvivedSec: null,
  serverSpeaksSec: null,
  keepaliveHolds: null,
  life: null,
  refused: null,
  stopped: false,
  likelyBoxes: [],
};

const FOUND: IdleReport = {
  ...NONE,
  limitSec: 60,
  toleranceSec: 0.5,
  kind: "fin",
  survivedSec: 59,
  keepaliveHolds: true,
  likelyBoxes: ["nginx"],
};

describe("the report of an idle limit", () => {
  test("is the limit, what has such a one, and the keepalive that survives it", () => {
    assert.deepEqual(idleLines(FOUND), [
      "Idle limit: 60 s (± 0.5 s); then the connection is ended without a Close frame (a client reports 1006)",
      "Likely: nginx",
      "A client that pings every 20 s was kept beyond the limit",
      "Keepalive that survives it: 20 s (clawkit config set gateway.keepalive.intervalSec 20)",
    ]);
  });

  test("has the words of a Close frame", () => {
    const [line] = idleLines({ ...FOUND, kind: "close", code: 4008, reason: "too quiet" });
    assert.match(line!, /closed with a Close frame \(4008 "too quiet"\)$/);
  });

  test("says that there is none, and what is enough", () => {
    assert.deepEqual(idleLines(NONE), [
      "Idle limit: none found; 600 s of silence were survived",
      "A keepalive of 20 s, as it is preset, is enough",
    ]);
  });

  test("claims nothing of what was not tried", () => {
    const lines = idleLines({ ...NONE, survivedSec: 8, stopped: true });
    assert.deepEqual(lines, [
      "Idle limit: none found; 8 s of silence were survived",
      "It was stopped before it was through: this is what is known so far",
    ]);
    assert.equal(idleLines({ ...NONE, survivedSec: 0, stopped: true })[0], "Idle limit: not known yet");
  });

  test("takes a gateway's deadline for a sign-in for no limit of the path", () => {
    const life = { sec: 15, kind: "close", code: 1000, reason: "", isSignIn: true } as const;
    const lines = idleLines({ ...NONE, survivedSec: 14, life });
    assert.match(
      lines[1]!,
      /^After 15 s the gateway closes who has not signed in \(1000\).*no limit of the path$/,
    );
    assert.match(lines[2]!, /OPENCLAW_HANDSHAKE_TIMEOUT_MS/);
    assert.equal(lines.length, 3);
  });

  test("says of a limit on life that no keepalive survives it", () => {
    const life = { sec: 30, kind: "fin", code: null, reason: null, isSignIn: false } as const;
    const [, line] = idleLines({ ...NONE, survivedSec: 25, life });
    assert.match(line!, /^After 30 s the connection is ended .*a limit on the life of a connection/);
  });

  test("says what spoils it: a server that speaks, connections that differ, or are not let in", () => {
    const text = idleLines({ ...FOUND, serverSpeaksSec: 20, othersSurvivedSec: 75, refused: "429" }).join(
      "\n",
    );
    assert.match(text, /says something every 20 s/);
    assert.match(text, /Others survived up to 75 s/);
    assert.match(text, /not let in: 429/);
  });
});
