import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { describe, it, type TestContext, test } from "node:test";
import { newDevice } from "../../test/helpers/device.ts";
import type { EventFrame, ResponseFrame } from "../../test/helpers/gateway-frames.ts";
import { EDGE_KEY, NOW, startGateway, TOKEN } from "../../test/helpers/gateway-rig.ts";
import type { RawGatewayClient } from "../../test/helpers/raw-gateway-client.ts";
import { Links } from "./links.ts";
import { RETAIN_MS } from "./resumptions.ts";

type Rig = Awaited<ReturnType<typeof startGateway>>;

interface Ticket {
  readonly session: string;
  readonly secret: string;
}

/** Everything that the gateway has written, also what is deleted and not overwritten. */
async function written({ settings }: Rig): Promise<Buffer> {
  const files = [settings.journalPath, `${settings.journalPath}-wal`];
  return Buffer.concat(await Promise.all(files.map((file) => readFile(file))));
}

async function connected(rig: Rig, link: string, scopes = ["operator.admin"]): Promise<RawGatewayClient> {
  const client = rig.open({ "X-Clawkit-Edge": EDGE_KEY, "X-Clawkit-Link": link });
  assert.equal((await client.connect({ auth: { token: TOKEN }, scopes })).ok, true);
  return client;
}

async function resume(client: RawGatewayClient, method: "open" | "attach", params: object = {}) {
  client.send(
    `{"type":"req","id":"clawkit.resume.${method}","method":"clawkit.resume.${method}","params":${JSON.stringify(params)}}`,
  );
  return await client.when(() =>
    client.frames.filter((frame) => frame.type === "res").find(({ id }) => id === `clawkit.resume.${method}`),
  );
}

async function opened(rig: Rig, link = "a") {
  const client = await connected(rig, link);
  const { payload } = await resume(client, "open");
  return { client, ticket: payload as Ticket };
}

/** As many as are told of something at once, and then the others. */
const SLICE = 50;

function listed({ payload }: EventFrame): number {
  return (payload as { presence: object[] }).presence.length;
}

/** Resolves when the client has a presence list of this length. */
async function listedOf(client: RawGatewayClient, length: number): Promise<void> {
  await client.when(() => client.events("presence").find((event) => listed(event) === length));
}

/** What came behind the answer to `attach`. */
function since(client: RawGatewayClient): string[] {
  const start = client.frames.findIndex(
    (frame) => frame.type === "res" && frame.id === "clawkit.resume.attach",
  );
  return client.frames
    .slice(start + 1)
    .map((frame) =>
      frame.type === "res" ? frame.id : frame.type === "event" ? `event ${frame.seq}` : "ack",
    );
}

/** As an edge that has lost its client. */
async function leave(client: RawGatewayClient, code = 1001): Promise<void> {
  client.socket.close(code);
  await client.ended;
}

describe("a client that comes back over another link", () => {
  it("gets what it missed, and is told what the gateway has of it", async (t) => {
    const rig = await startGateway(t);
    const { client, ticket } = await opened(rig);
    await client.request("health");
    await client.request("status");
    await leave(client);
    using again = await connected(rig, "b");
    const { payload } = await resume(again, "attach", { ...ticket, received: 1, attempt: 1 });
    assert.deepEqual(payload, { stored: 2 });
    await again.request("health");
    assert.deepEqual(since(again).slice(0, 1), ["status 3"]);
  });

  it("keeps its place: one presence, events numbered on, also those of its absence", async (t) => {
    const rig = await startGateway(t);
    const { client, ticket } = await opened(rig);
    await client.request("system-event", { text: "it is me" });
    await client.event("presence");
    const received = client.frames.length - 3; // the challenge, hello, and the answer to open
    await leave(client);
    using other = await connected(rig, "b");
    await other.event("presence");
    using again = await connected(rig, "c");
    await resume(again, "attach", { ...ticket, received, attempt: 1 });
    const { payload } = await again.request("system-presence");
    assert.deepEqual((payload as { text?: string }[]).map(({ text }) => text ?? "another").sort(), [
      "another",
      "it is me",
    ]);
    await again.when(() => since(again).find((frame) => frame === "event 3"));
    assert.deepEqual(
      since(again).filter((frame) => frame.startsWith("event")),
      ["event 2", "event 3"],
    );
  });

  it("is not doubled by the gateway's end between leaving and coming back", async (t) => {
    const first = await startGateway(t);
    const { client, ticket } = await opened(first);
    await client.request("health");
    await leave(client);
    first.gateway.close();
    const rig = await startGateway(t, { folder: first.folder, settings: { generation: 2 } });
    using again = await connected(rig, "b");
    assert.deepEqual((await resume(again, "attach", { ...ticket, received: 0, attempt: 1 })).payload, {
      stored: 1,
    });
    const { payload } = await again.request("status");
    assert.equal((payload as { connections: number }).connections, 1);
    assert.deepEqual(since(again).slice(0, 2), ["health 2", "status 2"]);
  });

  it("takes the place of its connection that nobody has missed yet", async (t) => {
    const rig = await startGateway(t);
    const { client, ticket } = await opened(rig);
    using again = await connected(rig, "b");
    assert.equal((await resume(again, "attach", { ...ticket, received: 0, attempt: 1 })).ok, true);
    assert.equal((await client.ended).code, 1000);
    const { payload } = await again.request("status");
    assert.equal((payload as { connections: number }).connections, 1);
  });

  it("gets the answer to what was under way on the link before", async (t) => {
    const rig = await startGateway(t);
    const { client, ticket } = await opened(rig);
    client.send({ type: "req", id: "slow", method: "logs.tail", params: {} });
    await leave(client);
    using again = await connected(rig, "b");
    assert.deepEqual((await resume(again, "attach", { ...ticket, received: 0, attempt: 1 })).payload, {
      stored: 1,
    });
    await again.when(() => since(again).find((id) => id === "slow"));
  });
});

describe("a session cannot be resumed", () => {
  const refused = async (
    t: TestContext,
    how: (rig: Rig, ticket: Ticket) => Promise<RawGatewayClient>,
    change = {},
  ) => {
    const rig = await startGateway(t);
    const { client, ticket } = await opened(rig);
    await client.request("health");
    client.send({ type: "ack", n: 1 });
    await client.request("health");
    await leave(client);
    using again = await how(rig, ticket);
    const { error } = await resume(again, "attach", { ...ticket, received: 2, attempt: 1, ...change });
    assert.deepEqual(error?.details, { reason: "resume-lost" });
    assert.equal((await resume(again, "open")).ok, true);
  };
  const again = (rig: Rig) => connected(rig, "b");

  it("with another secret", (t) => refused(t, again, { secret: "another" }));
  it("by a client that may do less", (t) => refused(t, (rig) => connected(rig, "b", ["operator.read"])));
  it("from a position that it has given up", (t) => refused(t, again, { received: 0 }));
  it("from a position that it has not", (t) => refused(t, again, { received: 9 }));
  it("that is none", (t) => refused(t, again, { session: "none" }));
  it("without params that make sense", (t) => refused(t, again, { received: "two" }));
});

test("an attachment that comes late, from a connection that the client has left, takes nothing back", async (t) => {
  const rig = await startGateway(t);
  const { client, ticket } = await opened(rig);
  await leave(client);
  using late = await connected(rig, "b");
  using last = await connected(rig, "c");
  assert.equal((await resume(last, "attach", { ...ticket, received: 0, attempt: 2 })).ok, true);
  const { error } = await resume(late, "attach", { ...ticket, received: 0, attempt: 1 });
  assert.deepEqual(error?.details, { reason: "resume-lost" });
  assert.equal((await last.request("health")).ok, true);
});

test("a session ends when its client says so", async (t) => {
  const rig = await startGateway(t);
  const { client, ticket } = await opened(rig);
  await leave(client, 1000);
  using again = await connected(rig, "b");
  assert.equal((await resume(again, "attach", { ...ticket, received: 0, attempt: 1 })).ok, false);
});

// a planned end sent what it still had to say, and the sessions did not count it: lost at the client's next drop
test("what a gateway says while it closes is counted", async (t) => {
  const before = await startGateway(t);
  const all: Awaited<ReturnType<typeof opened>>[] = [];
  for (let i = 0; i < SLICE + 1; i++) all.push(await opened(before, `a${i}`));
  await Promise.all(all.map(({ client }) => listedOf(client, all.length)));
  using _ = await connected(before, "b");
  await listedOf(all[0]!.client, all.length + 1);
  before.gateway.close(); // others have not been told yet
  const rig = await startGateway(t, { folder: before.folder, settings: { generation: 2 } });
  using again = await connected(rig, "c");
  const { ticket } = all.at(-1)!;
  assert.equal((await resume(again, "attach", { ...ticket, received: 0, attempt: 1 })).ok, true);
  await again.request("health");
  const counts = again.events("presence").map((event) => listed(event));
  assert.ok(counts.includes(all.length + 1), String(counts));
});

test("a link whose session went to another is not known to the next gateway", async (t) => {
  const before = await startGateway(t);
  const { client, ticket } = await opened(before);
  using _ = client;
  before.gateway.close();
  const killed = await startGateway(t, { folder: before.folder, settings: { generation: 2 } });
  t.mock.method(Links.prototype, "forget", () => undefined); // it does not live to do that
  const other = await connected(killed, "b");
  assert.equal((await resume(other, "attach", { ...ticket, received: 0, attempt: 1 })).ok, true);
  killed.gateway.close();
  const rig = await startGateway(t, { folder: before.folder, settings: { generation: 3 } });
  using late = rig.open({
    "X-Clawkit-Edge": EDGE_KEY,
    "X-Clawkit-Link": "a",
    "X-Clawkit-Position": `${client.frames.length} 0 0`,
  });
  assert.match((await late.ended).error!, /410/);
});

test("a session ends with a goodbye that only the edge heard", async (t) => {
  const before = await startGateway(t);
  const { client, ticket } = await opened(before);
  using _ = client;
  before.gateway.close();
  const rig = await startGateway(t, { folder: before.folder, settings: { generation: 2 } });
  await rig.holdOnly([], ["a"]);
  using other = await connected(rig, "b");
  const { payload } = await other.request("system-presence");
  assert.equal((payload as unknown[]).length, 1);
  assert.equal((await resume(other, "attach", { ...ticket, received: 0, attempt: 1 })).ok, false);
});

test("a session ends when its client is away for too long", async (t) => {
  const folder = await startGateway(t);
  const { client, ticket } = await opened(folder);
  await leave(client);
  await connected(folder, "b").then((other) => other.request("health")); // behind the commit that notes its leave
  folder.gateway.close();
  const journal = new DatabaseSync(folder.settings.journalPath);
  journal.exec(`UPDATE resumable SET leftAt = ${NOW - RETAIN_MS - 1}`);
  journal.close();
  t.mock.timers.enable({ apis: ["setInterval"] });
  const rig = await startGateway(t, { folder: folder.folder, settings: { generation: 2 } });
  t.mock.timers.tick(5_000);
  using again = await connected(rig, "c");
  assert.equal((await resume(again, "attach", { ...ticket, received: 0, attempt: 1 })).ok, false);
});

test("messages are confirmed, and at once for who asks", async (t) => {
  const rig = await startGateway(t);
  const { client } = await opened(rig);
  using _ = client;
  await client.request("health");
  client.send({ type: "ack", n: 1, ask: true });
  assert.deepEqual(await client.when(() => client.frames.find(({ type }) => (type as string) === "ack")), {
    type: "ack",
    n: 1,
  });
});

test("who counts is sent away while the journal cannot be written, and goes on behind it", async (t) => {
  const rig = await startGateway(t);
  const { client, ticket } = await opened(rig);
  const other = new DatabaseSync(rig.settings.journalPath);
  t.after(() => other.close());
  other.exec("ALTER TABLE outbox RENAME TO away");
  client.send({ type: "req", id: "refused", method: "health", params: {} });
  client.send({ type: "req", id: "behind it", method: "health", params: {} });
  const { code, reason } = await client.ended;
  assert.equal(`${code} ${reason}`, "1013 the journal cannot be written, try again in 5 s");
  other.exec("ALTER TABLE away RENAME TO outbox");
  using again = await connected(rig, "b");
  assert.deepEqual((await resume(again, "attach", { ...ticket, received: 0, attempt: 1 })).payload, {
    stored: 0,
  });
});

test("a session that could not be moved is where it was, and is moved later", async (t) => {
  const rig = await startGateway(t);
  const { client, ticket } = await opened(rig);
  await client.request("health");
  await leave(client);
  using again = await connected(rig, "b");
  const other = new DatabaseSync(rig.settings.journalPath);
  t.after(() => other.close());
  other.exec("ALTER TABLE outbox RENAME TO away");
  const attach = { ...ticket, received: 0, attempt: 1 };
  assert.deepEqual((await resume(again, "attach", attach)).error?.details, { reason: "journal-unwritable" });
  other.exec("ALTER TABLE away RENAME TO outbox");
  using third = await connected(rig, "c");
  assert.deepEqual((await resume(third, "attach", attach)).payload, { stored: 1 });
  const { payload } = await third.request("status");
  assert.equal((payload as { connections: number }).connections, 2);
  assert.deepEqual(since(third).slice(0, 2), ["health 2", "status 2"]);
});

describe("of secrets the journal has nothing", () => {
  it("neither of the one that resumes a session", async (t) => {
    const rig = await startGateway(t);
    const { client, ticket } = await opened(rig);
    using _ = client;
    await client.request("health");
    const bytes = await written(rig);
    assert.ok(bytes.includes(ticket.session));
    assert.ok(!bytes.includes(ticket.secret));
  });

  it("nor of a device's token that is told to a client that counts", async (t) => {
    const rig = await startGateway(t);
    const device = newDevice();
    const client = rig.open({ "X-Clawkit-Edge": EDGE_KEY, "X-Clawkit-Link": "a" });
    const scopes = ["operator.pairing"];
    const { payload: hello } = await client.connectAs(device, { auth: { token: TOKEN }, scopes });
    await resume(client, "open");
    const { payload: rotated } = await client.request("device.token.rotate", {
      deviceId: device.id,
      role: "operator",
    });
    assert.equal((await client.ended).code, 4001);
    const tokens = [
      (hello as { auth: { deviceToken: string } }).auth.deviceToken,
      (rotated as { token: string }).token,
    ];
    const bytes = await written(rig);
    for (const token of tokens) {
      assert.ok(token.length > 20);
      assert.ok(!bytes.includes(token));
    }
  });
});

test("a client whose gateway ended with the answer to open connects again", async (t) => {
  const first = await startGateway(t);
  const { client } = await opened(first);
  const received = client.frames.length - 1; // its edge has all but that
  first.gateway.close();
  await client.ended;
  const rig = await startGateway(t, { folder: first.folder, settings: { generation: 2 } });
  using again = rig.open({
    "X-Clawkit-Edge": EDGE_KEY,
    "X-Clawkit-Link": "a",
    "X-Clawkit-Position": `${received} 2 0`,
  });
  const frame = (await again.when(() => again.frames[0])) as ResponseFrame;
  assert.deepEqual([frame.id, frame.ok, frame.error?.retryable], ["clawkit.resume.open", false, true]);
});

describe("a node that comes back over another link", () => {
  const AS_NODE = { role: "node", commands: ["snap"], auth: { token: TOKEN } };
  const onLink = (rig: Rig, link: string) => rig.open({ "X-Clawkit-Edge": EDGE_KEY, "X-Clawkit-Link": link });

  it("is asked again what it was asked between its hello and its session", async (t) => {
    const rig = await startGateway(t);
    const device = newDevice();
    const first = onLink(rig, "node-1");
    await first.connectAs(device, AS_NODE);
    const { payload: ticket } = await resume(first, "open");
    using operator = await connected(rig, "operator");
    await leave(first);
    using again = onLink(rig, "node-2");
    await again.connectAs(device, AS_NODE);
    operator.send({
      type: "req",
      id: "invoke",
      method: "node.invoke",
      params: { nodeId: device.id, command: "snap", params: { n: 1 }, idempotencyKey: "1" },
    });
    await again.event("node.invoke.request");
    // as the library, which drops what came before this is answered
    await resume(again, "attach", { ...(ticket as Ticket), received: 0, attempt: 1 });
    const { payload } = await again.event("node.invoke.request", 2);
    const { id, paramsJSON } = payload as { id: string; paramsJSON: string };
    assert.equal(paramsJSON, '{"n":1}');
    const events = since(again).filter((frame) => frame.startsWith("event"));
    assert.deepEqual(
      events,
      events.map((_, i) => `event ${i + 1}`),
    );
    const result = { id, nodeId: device.id, ok: true, payload: "done" };
    assert.deepEqual((await again.request("node.invoke.result", result)).payload, { ok: true });
    const answer = await operator.when(() =>
      operator.frames.filter((frame) => frame.type === "res").find(({ id }) => id === "invoke"),
    );
    assert.equal(answer.ok, true);
  });
});
