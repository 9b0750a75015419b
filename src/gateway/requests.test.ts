import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Commits } from "./commits.ts";
import { GatewayLink } from "./gateway-link.ts";
import { Journal } from "./journal/journal.ts";
import type { GatewayContext, Method } from "./methods/index.ts";
import { Requests } from "./requests.ts";
import { Session } from "./session.ts";

// A reader's burst of 1,500 × logs.tail had 1,500 files read at once: 2.3 GB, and behind the kernel's kill the next gateway did the same.

/** The gateway's `read` and a module's `ask` run until they are told to end: by the request's id. */
function rigOf(t: TestContext, { isBehindKill = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "clawkit-requests-"));
  const journal = new Journal(join(folder, "journal.db"), { generation: 1, isDurable: false });
  const commits = new Commits({ journal, onUnusable: assert.fail });
  t.after(() => {
    commits.close();
    journal.close();
    rmSync(folder, { recursive: true });
  });
  const running = new Map<string, () => void>();
  const method: Method<unknown> = {
    scope: "operator.read",
    runs: "apart",
    read: (value) => ({ value }),
    run: (_params, _session, _context, id) => new Promise<void>((resolve) => running.set(id, resolve)),
  };
  const methods = new Map([
    ["read", method],
    ["ask", { ...method, isOfModule: true as const }],
  ]);
  const requests = new Requests({
    journal,
    commits,
    context: {
      settings: { isBehindKill },
      clock: { now: () => 0 },
      startedAt: 0,
    } as unknown as GatewayContext,
    methodOf: (name) => methods.get(name),
    log: assert.fail,
    wall: () => 0,
  });
  const client = (id: string) => {
    const state = JSON.stringify({ session: { role: "operator", scopes: ["operator.read"] } });
    let key = 0;
    journal.commit(() => {
      key = journal.addLink(id, state);
    });
    const row = { key, id, stored: 0, emitted: 0, received: 0, seq: 0, state };
    return new Session(new GatewayLink(row, { journal, commits, onEnded: assert.fail }));
  };
  const inCommit = (work: () => void) => {
    commits.add({ work, failed: (error) => assert.fail(error as Error) });
    commits.flush();
  };
  let n = 0;
  const textOf = (id: string, name: string) => JSON.stringify({ type: "req", id, method: name });
  return {
    journal,
    requests,
    client,
    inCommit,
    running: () => [...running.keys()],
    rows: () => journal.unfinished().map(({ text, starts, kills }) => [JSON.parse(text).id, starts, kills]),
    answers: ({ link }: Session) => journal.outbox(link.key, 0).map(({ text }) => JSON.parse(text)),
    send: (session: Session, ids: readonly string[], name = "read") =>
      inCommit(() => {
        for (const id of ids) requests.take(session.link, session, ++n, textOf(id, name));
      }),
    /** As a gateway before had stored it. */
    leftBehind: ({ link }: Session, id: string, begun: { starts: number; kills: number }) =>
      journal.commit(() =>
        journal.store({ link: link.key, n: ++n, text: textOf(id, "read"), at: 0, ...begun }),
      ),
    end: async (id: string) => {
      running.get(id)!();
      running.delete(id);
      await setImmediate();
    },
  };
}

const idsOf = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}${i + 1}`);

describe("requests of the gateway's own methods that take time", () => {
  it("run four at once, and what waits was not begun", async (t) => {
    const rig = rigOf(t);
    const ada = rig.client("ada");
    rig.send(ada, idsOf("a", 6));
    assert.deepEqual(rig.running(), ["a1", "a2", "a3", "a4"]);
    assert.deepEqual(rig.rows(), [
      ["a1", 1, 0],
      ["a2", 1, 0],
      ["a3", 1, 0],
      ["a4", 1, 0],
      ["a5", 0, 0],
      ["a6", 0, 0],
    ]);
    await rig.end("a2");
    assert.deepEqual(rig.running(), ["a1", "a3", "a4", "a5"]);
  });

  it("take turns: who sends many keeps another client waiting for one place", async (t) => {
    const rig = rigOf(t);
    const [ada, bob] = [rig.client("ada"), rig.client("bob")];
    rig.send(ada, idsOf("a", 100));
    rig.send(bob, ["b1", "b2"]);
    await rig.end("a1");
    await rig.end("a2");
    await rig.end("a3");
    await rig.end("a4");
    assert.deepEqual(rig.running(), ["a5", "b1", "a6", "b2"]);
  });

  it("have none of a module wait behind them", (t) => {
    const rig = rigOf(t);
    const ada = rig.client("ada");
    rig.send(ada, idsOf("a", 5));
    rig.send(ada, idsOf("m", 5), "ask");
    assert.deepEqual(rig.running(), ["a1", "a2", "a3", "a4", "m1", "m2", "m3", "m4", "m5"]);
  });

  for (const [what, leave] of [
    ["is being closed", (link) => link.close(1008, "slow consumer")],
    ["is forgotten", (link) => Object.assign(link, { isForgotten: true })],
  ] as [string, (link: GatewayLink) => void][]) {
    it(`are not begun for a client that ${what}, and leave no row`, async (t) => {
      const rig = rigOf(t);
      const [ada, bob] = [rig.client("ada"), rig.client("bob")];
      rig.send(ada, idsOf("a", 100));
      rig.send(bob, ["b1"]);
      rig.inCommit(() => leave(ada.link));
      await rig.end("a1");
      await rig.end("a2");
      await setImmediate();
      assert.deepEqual(rig.running(), ["a3", "a4", "b1"]);
      assert.deepEqual(
        rig.rows().map(([id]) => id),
        ["a3", "a4", "b1"],
      );
    });
  }

  it("are refused beyond a thousand of one client that wait", (t) => {
    const rig = rigOf(t);
    const [ada, bob] = [rig.client("ada"), rig.client("bob")];
    rig.send(ada, idsOf("a", 1_004));
    rig.send(ada, ["more"]);
    rig.send(bob, ["b1"]);
    assert.deepEqual(
      rig.answers(ada).map(({ id, error }) => [id, error.code, error.details]),
      [["more", "UNAVAILABLE", { reason: "too-many-waiting" }]],
    );
    assert.deepEqual(rig.answers(bob), []);
  });

  for (const isBehindKill of [true, false]) {
    it(`run four at once behind a ${isBehindKill ? "kill" : "crash"}, too, and count when they begin`, async (t) => {
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const rig = rigOf(t, { isBehindKill });
      const ada = rig.client("ada");
      for (const id of idsOf("a", 5)) rig.leftBehind(ada, id, { starts: 1, kills: 0 });
      rig.leftBehind(ada, "waited", { starts: 0, kills: 0 });
      for (const row of rig.journal.unfinished()) rig.requests.recover(row, ada);
      // each is alone for 0.5 s, if one of them may be the cause
      for (let i = 0; i < 6; i++) {
        await setImmediate();
        t.mock.timers.tick(500);
      }
      await setImmediate();
      assert.deepEqual(rig.running(), ["a1", "a2", "a3", "a4"]);
      const again = isBehindKill ? [1, 1] : [2, 0];
      assert.deepEqual(rig.rows(), [
        ...idsOf("a", 4).map((id) => [id, ...again]),
        ["a5", 1, 0],
        ["waited", 0, 0],
      ]);
      await rig.end("a1");
      await rig.end("a2");
      assert.deepEqual(rig.rows().slice(2), [
        ["a5", ...again],
        ["waited", 1, 0],
      ]);
    });
  }
});
