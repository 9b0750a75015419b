import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ConnectionEnd, RecorderEvent } from "../core/records.ts";
import { ConnectionLog, type Ending } from "./connection-log.ts";

const WALL = Date.parse("2026-11-22T10:00:00Z");

const ENDING: Ending = { by: "client", code: 1000, reason: "bye", phase: "closing", cause: "client-closed" };
const CLIENT = { address: "192.0.2.7", origin: undefined, path: "/" };

/** A log, what it told recorder and metrics, and a clock of both kinds of time. */
function rig(edgeId = "e1") {
  const events: RecorderEvent[] = [];
  const seen: string[] = [];
  const ends: ConnectionEnd[] = [];
  const time = { now: 5_000, wall: WALL };
  const log = new ConnectionLog({
    record: (event) => events.push(event),
    clock: { now: () => time.now, wall: () => time.wall },
    edgeId,
    witness: {
      opened: () => seen.push("opened"),
      served: (heldMs) => seen.push(`served after ${heldMs} ms`),
      closed: (end) => {
        seen.push(`closed: ${end.cause}`);
        ends.push(end);
      },
    },
  });
  const pass = (ms: number) => {
    time.now += ms;
    time.wall += ms;
  };
  return { log, events, seen, ends, time, pass };
}

/** What is recorded of a client that asks like this. */
function openedWith(client: { address?: string; origin?: string; path?: string }) {
  const { log, events } = rig();
  log.open({ ...CLIENT, ...client });
  const [event] = events;
  assert.ok(event?.type === "connection-opened");
  return event;
}

describe("a connection", () => {
  it("is told from its upgrade request to its end", () => {
    const { log, events, seen, pass } = rig();
    const track = log.open({ address: "192.0.2.7", origin: "https://app.test", path: "/chat" });
    pass(40);
    track.served(3);
    track.identified({ clientId: "cli", clientVersion: "1.0", role: "operator" });
    pass(1_000);
    const traffic = {
      bytesIn: 10,
      bytesOut: 20,
      framesIn: 1,
      framesOut: 2,
      lastActivity: 5_540,
      rttMs: 12.5,
    };
    track.closed(ENDING, traffic);
    assert.deepEqual(events, [
      {
        type: "connection-opened",
        id: "e1-1",
        at: WALL,
        address: "192.0.2.7",
        origin: "https://app.test",
        path: "/chat",
      },
      { type: "connection-served", id: "e1-1", generation: 3 },
      {
        type: "connection-identified",
        id: "e1-1",
        client: { clientId: "cli", clientVersion: "1.0", role: "operator" },
      },
      {
        type: "connection-closed",
        id: "e1-1",
        end: {
          at: WALL + 1_040,
          ...ENDING,
          bytesIn: 10,
          bytesOut: 20,
          framesIn: 1,
          framesOut: 2,
          lastActivityAt: WALL + 540,
          rttMs: 12.5,
        },
      },
    ]);
    assert.deepEqual(seen, ["opened", "served after 40 ms", "closed: client-closed"]);
  });

  it("that never was served has no traffic, and was last active when it came", () => {
    const { log, ends, pass } = rig();
    const track = log.open(CLIENT);
    pass(12_000);
    track.closed({ ...ENDING, by: "edge", code: 1013, phase: "handshake", cause: "hold-ran-out" });
    const { bytesIn, bytesOut, framesIn, framesOut, lastActivityAt, rttMs } = ends[0]!;
    assert.deepEqual([bytesIn, bytesOut, framesIn, framesOut, rttMs], [0, 0, 0, 0, null]);
    assert.equal(lastActivityAt, WALL);
  });

  it("ends once: the first end is the one that counts", () => {
    const { log, events, seen } = rig();
    const track = log.open(CLIENT);
    track.closed({ ...ENDING, code: 1012, cause: "gateway-ended" });
    track.closed(ENDING);
    assert.deepEqual(seen, ["opened", "closed: gateway-ended"]);
    assert.equal(events.length, 2);
  });

  it("without a Close frame ends with no code", () => {
    const { log, ends } = rig();
    log.open(CLIENT).closed({ ...ENDING, code: undefined, cause: "client-vanished" });
    assert.equal(ends[0]!.code, null);
  });

  // A machine sleeps, or its clock is set, between the last frame and the end.
  it("was last active as long ago as the monotonic clock says, whatever the wall clock did", () => {
    const { log, ends, time } = rig();
    const track = log.open(CLIENT);
    time.now += 300;
    time.wall -= 3_600_000;
    const quiet = { bytesIn: 0, bytesOut: 0, framesIn: 0, framesOut: 0, rttMs: null };
    track.closed(ENDING, { ...quiet, lastActivity: time.now - 200 });
    assert.equal(ends[0]!.lastActivityAt, time.wall - 200);
  });
});

describe("ids", () => {
  it("differ within an edge, and between two lives of one", () => {
    const [one, other] = [rig("abc"), rig("abd")];
    const ids = [one, one, other].map(({ log }) => log.open(CLIENT).id);
    assert.deepEqual(ids, ["abc-1", "abc-2", "abd-1"]);
  });

  it("stay short: they count in base 36", () => {
    const { log } = rig();
    const ids = Array.from({ length: 1_000 }, () => log.open(CLIENT).id);
    assert.equal(ids.at(-1), "e1-rs");
    assert.equal(new Set(ids).size, 1_000);
  });
});

describe("what a client chooses is kept short and without secrets", () => {
  for (const [path, kept] of [
    ["/chat?token=secret", "/chat"],
    ["/chat#token=secret", "/chat"],
    ["/?", "/"],
    ["/a/b", "/a/b"],
    [`/${"x".repeat(300)}?y`, `/${"x".repeat(199)}`],
  ] as const) {
    it(`path ${path.slice(0, 20)}`, () => assert.equal(openedWith({ path }).path, kept));
  }

  for (const [origin, kept] of [
    ["https://app.test", "https://app.test"],
    ["http://localhost:5173", "http://localhost:5173"],
    ["https://user:secret@app.test/path?token=secret", "https://app.test"],
    ["null", "null"],
    ["file://", "file://"],
    ["no origin at all?token=secret", "no"],
    [`https://${"x".repeat(300)}.test`, `https://${"x".repeat(192)}`],
  ] as const) {
    it(`origin ${origin.slice(0, 40)}`, () => assert.equal(openedWith({ origin }).origin, kept));
  }

  it("no origin is none", () => assert.equal(openedWith({}).origin, null));

  it("address and reason", () => {
    assert.equal(openedWith({ address: "x".repeat(300) }).address.length, 200);
    const { log, ends } = rig();
    log.open(CLIENT).closed({ ...ENDING, reason: "r".repeat(5_000) });
    assert.equal(ends[0]!.reason.length, 200);
  });

  it("an origin with a port that cannot be keeps no password", {}, () =>
    assert.doesNotMatch(openedWith({ origin: "https://user:secret@app.test:99999" }).origin!, /secret/),
  );

  it("a request for a whole URL (RFC 9112 §3.2.2) keeps no password", {}, () =>
    assert.doesNotMatch(openedWith({ path: "http://user:secret@app.test/chat" }).path, /secret/),
  );

  it("the origin of a browser extension, or of an app's own scheme, says whose it is", {}, () => {
    assert.equal(openedWith({ origin: "chrome-extension://abcdef" }).origin, "chrome-extension://abcdef");
  });
});
