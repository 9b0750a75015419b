import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LinkQuery } from "../core/messages.ts";
import type { ConnectionTrack } from "./connection-log.ts";
import type { Link } from "./link.ts";
import { pageOf } from "./live-links.ts";

const NOW = 100_000;
const ALL: LinkQuery = { text: "", sort: "since", isDescending: false, offset: 0, limit: 10 };

/** Three open connections: `b` is the oldest, `c` was heard last, `a` has moved most. */
function links(): Map<Link, ConnectionTrack> {
  const rows = [
    ["e-a", 3, "192.0.2.1", null, 10, 5, 900],
    ["e-b", 1, "192.0.2.2", "webchat", 20, null, 10],
    ["e-c", 2, "192.0.2.3", "cli", 90, 7, 100],
  ] as const;
  return new Map(
    rows.map(([id, at, address, clientId, heard, rttMs, bytes]) => {
      const traffic = { bytesIn: bytes, bytesOut: 0, lastActivity: NOW - 1_000 + heard, rttMs };
      const client = { clientId, clientVersion: null, role: null };
      return [{ traffic, generation: 1 } as unknown as Link, { id, at, address, client } as ConnectionTrack];
    }),
  );
}

function ids(query: Partial<LinkQuery>): string[] {
  return pageOf(links(), { ...ALL, ...query }, NOW).links.map(({ id }) => id);
}

describe("a page of the open connections", () => {
  it("is sorted by what is asked for", () => {
    assert.deepEqual(ids({ sort: "since" }), ["e-b", "e-c", "e-a"]);
    assert.deepEqual(ids({ sort: "idle" }), ["e-c", "e-b", "e-a"]);
    assert.deepEqual(ids({ sort: "rtt", isDescending: true }), ["e-c", "e-a", "e-b"]);
    assert.deepEqual(ids({ sort: "bytes", isDescending: true }), ["e-a", "e-c", "e-b"]);
  });

  it("has what fits a text: id, address or what the client calls itself", () => {
    assert.deepEqual(ids({ text: "WEBCHAT" }), ["e-b"]);
    assert.deepEqual(ids({ text: "192.0.2.3" }), ["e-c"]);
    assert.deepEqual(ids({ text: "e-a" }), ["e-a"]);
    assert.deepEqual(ids({ text: "nobody" }), []);
  });

  it("is a piece, and says how many there are", () => {
    const page = pageOf(links(), { ...ALL, offset: 1, limit: 1 }, NOW);
    assert.deepEqual([page.total, page.links.map(({ id, idleMs }) => [id, idleMs])], [3, [["e-c", 910]]]);
  });

  it("has at most 200, whatever is asked for", () => {
    const many = new Map(
      Array.from(
        { length: 300 },
        (_, i) => [...links()].map(([link, track]) => [{ ...link }, { ...track, id: `e-${i}` }] as const)[0]!,
      ),
    ) as unknown as Map<Link, ConnectionTrack>;
    assert.equal(pageOf(many, { ...ALL, limit: 1_000 }, NOW).links.length, 200);
  });
});
