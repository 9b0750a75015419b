import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import type http from "node:http";
import net from "node:net";
import { DatabaseSync } from "node:sqlite";
import { describe, it, type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { until } from "../../test/helpers/clawkit.ts";
import type { EventFrame } from "../../test/helpers/gateway-frames.ts";
import { EDGE_KEY, startGateway, TOKEN } from "../../test/helpers/gateway-rig.ts";
import { connectParams, type RawGatewayClient } from "../../test/helpers/raw-gateway-client.ts";
import { encodeFrame, OPCODE } from "../protocol/frames.ts";
import { Commits, type Task } from "./commits.ts";
import { Journal } from "./journal/journal.ts";

type Rig = Awaited<ReturnType<typeof startGateway>>;

/** An edge's view of one link: what it says when it attaches it. */
const attach = (rig: Rig, link: string, position: string) =>
  rig.open({ "X-Clawkit-Edge": EDGE_KEY, "X-Clawkit-Link": link, "X-Clawkit-Position": position });

/** A client that said hello over `link`, of a gateway that is then closed; and the next one, in the same folder. */
async function acrossGateways(t: TestContext, before: (client: RawGatewayClient, rig: Rig) => Promise<void>) {
  const first = await startGateway(t);
  const client = attach(first, "a", "0 0 0");
  assert.equal((await client.connect({ auth: { token: TOKEN }, scopes: ["operator.admin"] })).ok, true);
  await before(client, first);
  first.gateway.close();
  await client.ended;
  const next = (settings: object = {}) =>
    startGateway(t, { folder: first.folder, settings: { generation: 2, ...settings } });
  return { client, first, next };
}

/** Numbers of frames that a client has, as its edge would count them. */
const countOf = (client: RawGatewayClient) => client.frames.length;

// it was begun behind the words that absolve it, and quarantined if the next gateway ended as well
test("what is begun in the turn of a planned end is not suspect", async (t) => {
  const { gateway, connected, settings } = await startGateway(t);
  const client = await connected();
  const isEnded = Promise.withResolvers<void>();
  const { add } = Commits.prototype;
  t.mock.method(Commits.prototype, "add", function (this: Commits, task: Task) {
    add.call(this, task);
    if (!("isAlone" in task)) return; // no message
    t.mock.restoreAll();
    gateway.close();
    isEnded.resolve();
  });
  client.send({ type: "req", id: "slow", method: "logs.tail", params: {} });
  await isEnded.promise;
  const journal = new DatabaseSync(settings.journalPath);
  const { starts } = journal.prepare("SELECT starts FROM inbox").get() as { starts: number };
  journal.close();
  assert.equal(starts, 0);
});

// its requests were confirmed and never answered
test("a link that comes in the turn of a list that does not know it yet begins anew", async (t) => {
  const before = await startGateway(t);
  const first = attach(before, "a", "0 0 0");
  await first.challenge();
  before.gateway.close(); // its edge has not heard of the upgrade
  const { socketPath } = (await startGateway(t, { folder: before.folder, settings: { generation: 2 } }))
    .settings;
  const [told, again] = [net.connect(socketPath), net.connect(socketPath)];
  t.after(() => [told, again].map((socket) => socket.destroy()));
  const head = (line: string, ...fields: string[]) =>
    [line, "Host: localhost", `X-Clawkit-Edge: ${EDGE_KEY}`, ...fields, "", ""].join("\r\n");
  const list = JSON.stringify({ held: [], closed: [] });
  const upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
  const offer = ["X-Clawkit-Link: a", "X-Clawkit-Position: 0 0 0"];
  const key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==";
  // from here on the gateway has both sockets, and reads both in one turn
  for (const socket of [told, again]) {
    socket.write(head("GET /healthz HTTP/1.1"));
    await once(socket, "data");
  }
  told.write(head("PUT /__clawkit__/links HTTP/1.1", `Content-Length: ${list.length}`) + list);
  again.write(head("GET / HTTP/1.1", ...upgrade, key, ...offer));
  let heard = "";
  const until = async (words: string) => {
    while (!heard.includes(words)) heard += String(await once(again, "data"));
  };
  await until("connect.challenge");
  const params = connectParams({ auth: { token: TOKEN } });
  const hello = JSON.stringify({ type: "req", id: "hello", method: "connect", params });
  again.write(encodeFrame(OPCODE.text, Buffer.from(hello), Buffer.alloc(4)));
  await until('"id":"hello","ok":true');
});

/** An upgrade that the gateway cannot accept, as its client asks for no protocol that has a name. */
async function upgradeInVain(rig: Rig, link: string): Promise<void> {
  const refused = rig.open({
    "X-Clawkit-Edge": EDGE_KEY,
    "X-Clawkit-Link": link,
    "Sec-WebSocket-Protocol": ",",
  });
  assert.match((await refused.ended).error!, /400/);
}

describe("a client of the gateway before", () => {
  it("goes on: it is known, what it did is, and its events are numbered on", async (t) => {
    const { client, next } = await acrossGateways(t, async (one) => {
      await one.request("system-event", { text: "here since before" });
      await one.event("presence");
    });
    const rig = await next();
    using again = attach(rig, "a", `${countOf(client)} 0 0`);
    await once(again.socket, "open");
    const { payload } = await again.request("system-presence");
    assert.deepEqual(
      (payload as { text: string }[]).map(({ text }) => text),
      ["here since before"],
    );
    await again.request("system-event", { text: "still here" });
    const seqs = [...client.events("presence"), await again.event("presence")].map(({ seq }) => seq);
    assert.deepEqual(seqs, [1, 2]);
    assert.match(rig.logged.join("\n"), /^1 clients of the gateway before go on here$/m);
  });

  it("gets again what its edge has not", async (t) => {
    const { client, next } = await acrossGateways(t, async (one) => {
      await one.request("health");
    });
    const rig = await next();
    const all = countOf(client);
    using again = attach(rig, "a", `${all - 1} 0 0`);
    await again.when(() => again.frames[0]);
    assert.deepEqual(again.frames[0], client.frames[all - 1]);
  });

  it("is not known if its edge does not name it", async (t) => {
    const { next } = await acrossGateways(t, async () => undefined);
    const rig = await next();
    assert.equal(await rig.holdOnly(["b"]), 200);
    using again = attach(rig, "a", "2 1 0");
    assert.match((await again.ended).error!, /410/);
  });

  it("has to say hello again behind a change of the secret", async (t) => {
    const { client, next } = await acrossGateways(t, async () => undefined);
    const rig = await next({ auth: { mode: "token", secret: "another secret of some length" } });
    using again = attach(rig, "a", `${countOf(client)} 1 0`);
    assert.match((await again.ended).error!, /410/);
    assert.doesNotMatch(rig.logged.join("\n"), /go on here/);
  });

  for (const [what, position] of [
    ["ahead of the journal", "9 0 0"],
    ["behind what it had acknowledged", "1 0 0"],
  ] as const) {
    it(`is refused with a position ${what}`, async (t) => {
      const { next } = await acrossGateways(t, async (one, rig) => {
        one.socket.pong("ack:2");
        await one.request("health");
        // the journal is told with the next commit
        assert.equal(rig.logged.length, 0);
      });
      const rig = await next();
      using again = attach(rig, "a", position);
      assert.match((await again.ended).error!, /410/);
    });
  }
});

describe("links of one gateway", () => {
  it("are each told their own position, also behind a client that could not be let in", async (t) => {
    const { client, next } = await acrossGateways(t, async (one) => {
      await one.request("health");
    });
    const rig = await next();
    await upgradeInVain(rig, "b");
    using again = attach(rig, "a", `${countOf(client)} 0 0`);
    const [answer] = (await once(again.socket, "upgrade")) as [http.IncomingMessage];
    assert.deepEqual(
      answer.rawHeaders.filter((_, i) => answer.rawHeaders[i - 1] === "X-Clawkit-Stored"),
      ["2"],
    );
  });
});

test("what was under way for a client that left is no message to the next one", async (t) => {
  const rig = await startGateway(t);
  await writeFile(rig.settings.logFile, "what only the first may read\n".repeat(1_000));
  const first = await rig.connected();
  // three at once: the Close is there before they are answered
  for (const id of ["1", "2", "3"]) first.send({ type: "req", id, method: "logs.tail", params: {} });
  first.socket.close();
  await first.ended;
  await setTimeout(100); // nothing tells that an answer is not written
  using second = await rig.connected();
  for (let i = 0; i < 3; i++) assert.equal((await second.request("health")).ok, true);
  assert.deepEqual(
    second.frames.filter((frame) => frame.type === "res").map(({ id }) => id.replace(/ .*/, "")),
    ["connect", "health", "health", "health"],
  );
  rig.gateway.close();
  const database = new DatabaseSync(rig.settings.journalPath);
  t.after(() => database.close());
  const { orphans } = database
    .prepare("SELECT count(*) AS orphans FROM outbox WHERE link NOT IN (SELECT key FROM links)")
    .get() as { orphans: number };
  assert.equal(orphans, 0);
});

test("a client that left while the journal could not be written is no client any more", async (t) => {
  const rig = await startGateway(t);
  using first = await rig.connected();
  using second = await rig.connected();
  const other = new DatabaseSync(rig.settings.journalPath);
  t.after(() => other.close());
  other.exec("ALTER TABLE outbox RENAME TO away");
  first.socket.close();
  await first.ended;
  const { error } = await second.request("health");
  assert.deepEqual(error?.details, { reason: "journal-unwritable" });
  other.exec("ALTER TABLE away RENAME TO outbox");
  const { payload } = await second.request("status");
  assert.equal((payload as { connections: number }).connections, 1);
});

test("a client that broke the protocol is no client any more", async (t) => {
  const rig = await startGateway(t);
  using first = await rig.connected();
  using second = await rig.connected();
  first.socket.send(Buffer.from([0xff]), { binary: false });
  assert.equal((await first.ended).code, 1007);
  const listed = ({ payload }: EventFrame) => (payload as { presence: object[] }).presence.length;
  await second.when(() => second.events("presence").find((event) => listed(event) === 1));
});

test("a link whose client could not be let in is not kept", async (t) => {
  const rig = await startGateway(t, { mock: true });
  await upgradeInVain(rig, "b");
  t.mock.timers.tick(15_000);
  t.mock.timers.reset();
  using client = await rig.connected();
  await client.request("health"); // behind the commit that forgets it
  rig.gateway.close();
  const journal = new Journal(rig.settings.journalPath, { generation: 2, isDurable: false });
  t.after(() => journal.close());
  assert.deepEqual(
    journal.links().map(({ id }) => id),
    ["link-2"],
  );
});

describe("a client whose first message was in flight when a gateway ended", () => {
  async function inFlight(t: TestContext, tries: object, settings: object = {}) {
    const first = await startGateway(t);
    const client = attach(first, "a", "0 0 0");
    await client.challenge();
    first.gateway.close();
    await client.ended;
    const db = new DatabaseSync(first.settings.journalPath);
    const { state } = db.prepare("SELECT state FROM links").get() as { state: string };
    db.prepare("UPDATE links SET state = ?").run(JSON.stringify({ ...JSON.parse(state), ...tries }));
    db.close();
    const rig = await startGateway(t, { folder: first.folder, settings: { generation: 2, ...settings } });
    const again = attach(rig, "a", "1 1 0");
    t.after(() => again[Symbol.dispose]());
    await once(again.socket, "open");
    again.send({
      type: "req",
      id: "hello",
      method: "connect",
      params: connectParams({ auth: { token: TOKEN } }),
    });
    return { again, rig };
  }
  const hello = (client: RawGatewayClient) =>
    client.when(() => client.frames.find((frame) => frame.type === "res" && frame.id === "hello"));

  it("is let in by the next one", async (t) => {
    const { again } = await inFlight(t, {});
    assert.equal(((await hello(again)) as { ok: boolean }).ok, true);
  });

  it("is not heard a third time: it may be what ends them", async (t) => {
    const { again, rig } = await inFlight(t, { tries: 1 });
    assert.equal((await again.ended).code, 1012);
    assert.match(rig.logged.join("\n"), /first message was in flight when the gateway ended, twice/);
  });

  it("is let in behind a kill", async (t) => {
    const { again } = await inFlight(t, { tries: 1 }, { isBehindKill: true });
    assert.equal(((await hello(again)) as { ok: boolean }).ok, true);
  });
});

describe("a request that a gateway had stored and not answered", () => {
  /** As the gateway leaves it that ends in the middle of it. */
  async function leftBehind(
    t: TestContext,
    row: { method: string; at?: number; starts: number; kills?: number; text?: string },
    isBehindKill = false,
  ) {
    const { client, first, next } = await acrossGateways(t, async () => undefined);
    const journal = new Journal(first.settings.journalPath, { generation: 1, isDurable: false });
    const [link] = journal.links();
    const text = row.text ?? JSON.stringify({ type: "req", id: "left", method: row.method, params: {} });
    journal.commit(() => {
      journal.store({
        link: link!.key,
        n: 2,
        text,
        at: row.at ?? 1_800_000_000_000,
        starts: row.starts,
        kills: row.kills ?? 0,
      });
      journal.setPositions(link!.key, { ...link!, stored: 2 });
    });
    journal.close();
    const rig = await next({ isBehindKill });
    const again = attach(rig, "a", `${countOf(client)} 2 0`);
    t.after(() => again[Symbol.dispose]());
    const answer = await again.when(() =>
      again.frames.find((frame) => frame.type === "res" && frame.id === "left"),
    );
    return { rig, answer: answer as { ok: boolean; error?: { details?: unknown } } };
  }

  it("is run by the next one", async (t) => {
    const { answer } = await leftBehind(t, { method: "logs.tail", starts: 1 });
    assert.equal(answer.ok, true);
  });

  it("is not run a third time: it may be what ends them", async (t) => {
    const { answer, rig } = await leftBehind(t, { method: "logs.tail", starts: 2 });
    assert.deepEqual(answer.error?.details, { reason: "quarantined" });
    assert.match(rig.logged.join("\n"), /logs\.tail was in flight when the gateway ended, 2 times/);
  });

  it("is run again behind a kill, which it did not do", async (t) => {
    const { answer } = await leftBehind(t, { method: "logs.tail", starts: 2, kills: 3 }, true);
    assert.equal(answer.ok, true);
  });

  it("is not run behind a fifth kill in a row: the kernel may kill for memory that it takes", async (t) => {
    const { answer } = await leftBehind(t, { method: "logs.tail", starts: 1, kills: 4 }, true);
    assert.deepEqual(answer.error?.details, { reason: "quarantined" });
  });

  // what was not read may call itself anything
  it("is named in one line of the log", async (t) => {
    const text = '{"type":"req","id":"left\n\u001b[2Kall is well","method":"health","params":{}}';
    const { client, first, next } = await acrossGateways(t, async () => undefined);
    const journal = new Journal(first.settings.journalPath, { generation: 1, isDurable: false });
    const [link] = journal.links();
    journal.commit(() => {
      journal.store({ link: link!.key, n: 2, text, at: 1_800_000_000_000, starts: 2, kills: 0 });
      journal.setPositions(link!.key, { ...link!, stored: 2 });
    });
    journal.close();
    const rig = await next();
    using again = attach(rig, "a", `${countOf(client)} 2 0`);
    await again.when(() => again.frames[0]);
    assert.doesNotMatch(rig.logged.join(""), /\p{Cc}/u);
  });

  it("is not even read a third time", async (t) => {
    const text = `{"type":"req","id":"left","method":"health","params":${"[".repeat(1_000_000)}`;
    const { answer } = await leftBehind(t, { method: "health", starts: 2, text });
    assert.deepEqual(answer.error?.details, { reason: "quarantined" });
  });

  // it is stored without its parameters, which may be secrets
  it("is not run if it changes what no commit takes back", async (t) => {
    const text = JSON.stringify({ type: "req", id: "left", method: "config.patch" });
    const { answer } = await leftBehind(t, { method: "config.patch", starts: 1, text });
    assert.deepEqual(answer.error?.details, { reason: "outcome-unknown" });
  });

  it("is not run when nobody waits for its answer any more", async (t) => {
    const { answer } = await leftBehind(t, {
      method: "logs.tail",
      starts: 1,
      at: 1_800_000_000_000 - 31_000,
    });
    assert.deepEqual(answer.error?.details, { reason: "expired" });
  });
});

describe("a journal", () => {
  it("that is broken is put aside, and its clients are told that their state is lost", async (t) => {
    const { client, first, next } = await acrossGateways(t, async () => undefined);
    await writeFile(first.settings.journalPath, "this is no database, and never was one");
    const rig = await next();
    assert.match(rig.logged.join("\n"), /the journal cannot be read .*journal\.db\.corrupt-/);
    using again = attach(rig, "a", `${countOf(client)} 1 0`);
    assert.match((await again.ended).error!, /410/);
    using newcomer = rig.open();
    assert.equal((await newcomer.connect({ auth: { token: TOKEN } })).ok, true);
  });

  it("that is broken inside is found when it is opened", async (t) => {
    const { first, next } = await acrossGateways(t, async () => undefined);
    const bytes = await readFile(first.settings.journalPath);
    await writeFile(first.settings.journalPath, bytes.fill(0x5a, 4_096, 8_192));
    const rig = await next();
    assert.match(rig.logged.join("\n"), /the journal cannot be read .*journal\.db\.corrupt-/);
  });

  it("that no file can hold is kept in memory, and that is said", async (t) => {
    const rig = await startGateway(t, { settings: { journalPath: "/proc/no-such-folder/journal.db" } });
    assert.match(rig.logged.join("\n"), /cannot use .*: the journal is kept in memory until/);
    using client = rig.open();
    assert.equal((await client.connect({ auth: { token: TOKEN } })).ok, true);
  });

  it("has one owner: who was taken for dead and comes back writes nothing", async (t) => {
    const lost: string[] = [];
    const first = await startGateway(t, { onUnusable: (error) => lost.push(error.message) });
    using client = attach(first, "a", "0 0 0");
    await client.connect({ auth: { token: TOKEN } });
    new Journal(first.settings.journalPath, { generation: 2, isDurable: false }).close();
    client.send({ type: "req", id: "late", method: "health", params: {} });
    await until(() => lost[0]);
    assert.deepEqual(lost, ["Cannot write the journal as generation 1: generation 2 owns it now"]);
    assert.equal(
      client.frames.some((frame) => frame.type === "res" && frame.id === "late"),
      false,
    );
  });
});
