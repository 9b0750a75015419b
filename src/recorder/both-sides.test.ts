import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CauseId } from "../core/causes.ts";
import { meantBy, tellBothSides } from "./both-sides.ts";
import type { ConnectionRow } from "./store.ts";

const NOON = Date.parse("2026-11-22T12:00:00Z");
const MINUTE = 60_000;
const words = {
  time: (ms: number) => new Date(ms).toISOString().slice(11, 19),
  duration: (ms: number) => `${ms / 1000} s`,
};

function connection(
  id: string,
  ended: { at: number; cause: CauseId; code?: number } | undefined,
): ConnectionRow {
  return {
    id,
    openedAt: NOON - 60 * MINUTE,
    address: "203.0.113.7",
    origin: null,
    path: "/",
    generation: 1,
    clientId: null,
    clientVersion: null,
    role: null,
    incident: null,
    end:
      ended === undefined
        ? null
        : {
            at: ended.at,
            by: ended.code === undefined ? "network" : "edge",
            code: ended.code ?? null,
            reason: ended.code === undefined ? "" : "gateway restarting",
            phase: "open",
            cause: ended.cause,
            bytesIn: 1,
            bytesOut: 1,
            framesIn: 1,
            framesOut: 1,
            lastActivityAt: ended.at - 20_000,
            rttMs: null,
          },
  };
}

describe("the connection that a client means", () => {
  const rows = [
    connection("early", { at: NOON - 8 * MINUTE, cause: "client-vanished" }),
    connection("near", { at: NOON + 12_000, cause: "client-unreachable" }),
    connection("open", undefined),
  ];

  it("is the one that ended nearest to what it says", () => {
    assert.equal(meantBy(rows, { code: 1006, at: NOON }, NOON + MINUTE)?.id, "near");
    assert.equal(meantBy(rows, { code: 1006, at: NOON - 7 * MINUTE }, NOON + MINUTE)?.id, "early");
  });

  it("is one that is open for us if none ended near", () => {
    assert.equal(meantBy(rows, { code: 1006, at: NOON - 30 * MINUTE }, NOON + MINUTE)?.id, "open");
  });

  it("is none if there is none near", () => {
    assert.equal(meantBy(rows.slice(0, 2), { code: 1006, at: NOON - 40 * MINUTE }, NOON), undefined);
  });
});

describe("both sides of an end", () => {
  const told = (row: ConnectionRow) => tellBothSides(row, { code: 1006, at: NOON }, words, NOON + MINUTE);

  it("of a silent drop: what we saw last, and that nobody said so", () => {
    const { headline, parts } = told(connection("c", { at: NOON + 10_000, cause: "client-unreachable" }));
    assert.equal(
      headline,
      "client saw 1006 at 12:00:00; our side: last byte 11:59:50, ping unanswered 12:00:10, no FIN or RST ever arrived",
    );
    assert.match(parts[0]!.lines[0]!, /^something between dropped it silently \(20 s without a byte\)/);
  });

  it("of a reset, and of a FIN", () => {
    assert.match(
      told(connection("c", { at: NOON, cause: "client-reset" })).headline,
      /reset \(RST\) from the client's side/,
    );
    assert.match(
      told(connection("c", { at: NOON, cause: "client-vanished" })).parts[0]!.lines[0]!,
      /a proxy between/,
    );
  });

  it("of a Close frame of ours that the client never saw", () => {
    const { headline, parts } = told(connection("c", { at: NOON, cause: "gateway-ended", code: 1012 }));
    assert.match(headline, /closed by the edge with 1012 "gateway restarting"/);
    assert.match(parts[0]!.lines[0]!, /did not reach the client/);
  });

  it("of a client that closed it, and says so", () => {
    const row = connection("c", { at: NOON, cause: "client-closed", code: 1000 });
    const { parts } = tellBothSides(row, { code: 1000, at: NOON }, words, NOON);
    assert.deepEqual(parts[0]!.lines, ["both sides tell the same"]);
    assert.match(told(row).parts[0]!.lines[0]!, /another code than it sent/);
  });

  it("of one that is still open for us", () => {
    assert.match(told(connection("c", undefined)).headline, /still open, since 3660 s, and no FIN or RST/);
  });
});
