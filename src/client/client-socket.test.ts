import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import { FakeSocket } from "../../test/helpers/fake-socket.ts";
import { ClientSocket, type ClientSocketOptions } from "./client-socket.ts";

/** A socket on a fake WebSocket and a fake clock, and what its application sees. */
function start(t: TestContext, options: Partial<ClientSocketOptions> = {}) {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  t.mock.method(Math, "random", () => 0.5);
  FakeSocket.all.length = 0;
  const WebSocket = FakeSocket as unknown as NonNullable<ClientSocketOptions["WebSocket"]>;
  const socket = new ClientSocket("ws://server", [], { WebSocket, ...options });
  t.after(() => socket.close());
  const seen: string[] = [];
  socket.onopen = () => seen.push("open");
  socket.onmessage = ({ data }) => seen.push(`message ${data}`);
  socket.onclose = ({ code, reason }) => seen.push(`close ${code} ${reason}`.trim());
  socket.onerror = () => seen.push("error");
  socket.ongap = ({ reason, unconfirmed }) => seen.push(`gap ${reason} [${unconfirmed}]`);
  return { socket, seen };
}

/** What a browser has, and Node has not. */
function pageOf(t: TestContext): EventTarget {
  const page = new EventTarget();
  const scope = globalThis as unknown as Partial<EventTarget>;
  t.after(() => {
    delete scope.addEventListener;
    delete scope.removeEventListener;
  });
  scope.addEventListener = page.addEventListener.bind(page);
  scope.removeEventListener = page.removeEventListener.bind(page);
  return page;
}

describe("against any server", () => {
  it("is a WebSocket", (t) => {
    const { socket, seen } = start(t);
    assert.equal(socket.readyState, socket.CONNECTING);
    socket.binaryType = "arraybuffer";
    FakeSocket.last.opens();
    assert.equal(socket.readyState, WebSocket.OPEN);
    assert.equal(FakeSocket.last.binaryType, "arraybuffer");
    socket.send("hello");
    FakeSocket.last.says("there");
    assert.deepEqual(FakeSocket.last.sent, ["hello"]);
    socket.close(3000, "enough");
    assert.deepEqual(FakeSocket.last.closed, [[3000, "enough"]]);
    FakeSocket.last.ends(3000, "enough");
    assert.deepEqual(seen, ["open", "message there", "close 3000 enough"]);
    assert.equal(socket.readyState, WebSocket.CLOSED);
  });

  it("comes back at once behind a drop, announces the gap once, and sends what waits behind the application's first words", (t) => {
    const { socket, seen } = start(t);
    FakeSocket.last.opens();
    t.mock.timers.tick(3_000);
    FakeSocket.last.ends(1006);
    assert.equal(socket.state.text, "the connection broke off: next try in 0.1 s");
    socket.send("waits");
    assert.equal(socket.bufferedAmount, 5);
    socket.addEventListener("open", () => socket.send("first"));
    t.mock.timers.tick(100);
    FakeSocket.last.ends(1006); // nobody there yet
    t.mock.timers.tick(250);
    FakeSocket.last.opens();
    assert.deepEqual(FakeSocket.last.sent, ["first", "waits"]);
    assert.deepEqual(seen, ["open", "gap the connection broke off []", "open"]);
    assert.equal(socket.state.text, "connected again after 0.3 s, something may have been missed");
    assert.deepEqual(
      socket.journal.map(({ name, code }) => (code === undefined ? name : `${name} ${code}`)),
      ["connecting", "live", "waiting 1006", "connecting", "waiting 1006", "connecting", "live"],
    );
  });

  it("does not come back behind a code that says never", (t) => {
    const { socket, seen } = start(t);
    FakeSocket.last.opens();
    FakeSocket.last.ends(1008, "unauthorized");
    assert.deepEqual(seen, ["open", "error", "close 1008 unauthorized"]);
    assert.equal(socket.state.text, "ended for good: 1008 unauthorized");
    t.mock.timers.tick(600_000);
    assert.equal(FakeSocket.all.length, 1);
  });

  it("waits as long as the server says", (t) => {
    start(t);
    FakeSocket.last.ends(1013, "busy, try again in 7 s");
    t.mock.timers.tick(6_999);
    assert.equal(FakeSocket.all.length, 1);
    t.mock.timers.tick(4_000);
    assert.equal(FakeSocket.all.length, 2);
  });

  it("gives up a try that is not answered, and does not hear of its socket again", (t) => {
    const { seen } = start(t);
    const first = FakeSocket.last;
    t.mock.timers.tick(20_000);
    assert.equal(first.closed.length, 1);
    t.mock.timers.tick(250);
    assert.equal(FakeSocket.all.length, 2);
    first.opens();
    first.says("late");
    first.ends(1006);
    assert.deepEqual(seen, []);
  });

  it("asks for life after unusual silence, and leaves who does not answer", (t) => {
    const { socket } = start(t, { silenceMs: 20_000, ask: "ping" });
    FakeSocket.last.opens();
    for (let i = 0; i < 4; i++) t.mock.timers.tick(5_000);
    assert.deepEqual(FakeSocket.last.sent, ["ping"]);
    t.mock.timers.tick(5_000);
    assert.deepEqual(FakeSocket.last.closed, [[4000, undefined]]);
    assert.equal(socket.state.name, "waiting");
  });

  it("tries at once when the network is back", (t) => {
    const page = pageOf(t);
    start(t);
    for (let i = 0; i < 8; i++) {
      FakeSocket.last.ends(1006);
      if (i < 7) t.mock.timers.tick(30_000);
    }
    const tries = FakeSocket.all.length;
    page.dispatchEvent(new Event("online"));
    assert.equal(FakeSocket.all.length, tries + 1);
  });

  it("refuses to hold more than it can", (t) => {
    const { socket } = start(t);
    assert.throws(() => socket.send("x".repeat(17 * 1024 * 1024)), /wait already/);
  });

  it("does not take a late word of a connection that it left for life of the next", (t) => {
    start(t, { silenceMs: 20_000 });
    const left = FakeSocket.last;
    t.mock.timers.tick(20_000); // given up
    t.mock.timers.tick(250);
    FakeSocket.last.opens();
    t.mock.timers.tick(15_000);
    left.says("late");
    t.mock.timers.tick(5_000);
    assert.equal(FakeSocket.last.closed.length, 1);
  });

  it("sends text for what is neither text nor bytes, and the bytes of the moment at which it was told to", (t) => {
    const { socket } = start(t);
    const bytes = new Uint8Array([1]);
    socket.send(bytes);
    socket.send(7 as unknown as string);
    bytes[0] = 2;
    assert.equal(socket.bufferedAmount, 2);
    FakeSocket.last.opens();
    assert.deepEqual(FakeSocket.last.sent as unknown[], [new Uint8Array([1]), "7"]);
  });
});

describe("an application that closes", () => {
  it("is told so behind its call, also where there is no connection", async (t) => {
    const { socket } = start(t);
    FakeSocket.last.ends(1006);
    socket.close();
    assert.equal(socket.readyState, socket.CLOSING);
    const [{ code }] = (await once(socket, "close")) as [CloseEvent];
    assert.equal(code, 1000);
  });

  it("is told so once, also where its socket ends at that moment", async (t) => {
    const { socket, seen } = start(t);
    socket.close();
    FakeSocket.last.ends(1006);
    await setImmediate();
    assert.deepEqual(seen, ["close 1006"]);
  });

  // its WebSocket waits for a minute in a browser, and for more than three in Node
  it("is told so in 5 s though its peer does not answer, and once", (t) => {
    const { socket, seen } = start(t);
    FakeSocket.last.opens();
    socket.close(3000, "enough");
    t.mock.timers.tick(4_999);
    assert.equal(socket.readyState, socket.CLOSING);
    t.mock.timers.tick(1);
    FakeSocket.last.says("late");
    FakeSocket.last.ends(3000, "enough");
    assert.deepEqual(seen, ["open", "close 1006"]);
    assert.equal(socket.state.text, "closed by this application: no answer for 5.0 s");
  });

  it("cannot do so with what no WebSocket takes", (t) => {
    const { socket } = start(t);
    assert.throws(() => socket.close(1006), { name: "InvalidAccessError" });
    assert.throws(() => socket.close(3000, "ä".repeat(62)), { name: "SyntaxError" });
    assert.equal(socket.readyState, socket.CONNECTING);
  });

  for (const name of ["waiting", "connecting"] as const) {
    it(`because it hears that it is ${name} again, is obeyed`, async (t) => {
      const { socket, seen } = start(t);
      FakeSocket.last.opens();
      socket.onstate = () => socket.state.name === name && socket.close();
      FakeSocket.last.ends(1006);
      t.mock.timers.tick(600_000);
      await setImmediate();
      t.mock.timers.tick(600_000);
      assert.deepEqual(seen, ["open", "close 1000"]);
      assert.equal(FakeSocket.all.length, name === "waiting" ? 1 : 2);
      assert.equal(socket.readyState, socket.CLOSED);
    });
  }

  it("because it hears of a gap, hears of nothing more but the end", (t) => {
    const { socket, seen } = start(t);
    FakeSocket.last.opens();
    FakeSocket.last.ends(1006);
    t.mock.timers.tick(250);
    socket.addEventListener("gap", () => socket.close());
    FakeSocket.last.opens();
    FakeSocket.last.says("too late");
    FakeSocket.last.ends(1000);
    assert.deepEqual(seen, ["open", "gap the connection broke off []", "close 1000"]);
  });
});

describe("a listener", () => {
  it("can be removed, or wait for one event only, and keeps no other from hearing", (t) => {
    const { socket } = start(t);
    const heard: string[] = [];
    const always = ({ data }: MessageEvent) => heard.push(`always ${data}`);
    socket.addEventListener("message", ({ data }) => heard.push(`once ${data}`), { once: true });
    socket.addEventListener("message", always);
    FakeSocket.last.opens();
    FakeSocket.last.says("1");
    FakeSocket.last.says("2");
    socket.removeEventListener("message", always);
    FakeSocket.last.says("3");
    assert.deepEqual(heard, ["once 1", "always 1", "always 2"]);
  });
});

const DAY_MS = 24 * 60 * 60 * 1_000;
const event = (seq: number) => ({ type: "event", event: "presence", payload: {}, seq });
const answer = (id: string, payload: unknown) => ({ type: "res", id, ok: true, payload });
const HELLO = { features: { methods: ["clawkit.resume.open"] }, policy: { tickIntervalMs: 30_000 } };

/** Its gateway's side of the beginning, up to hello. */
async function greets(frame: unknown = answer("clawkit.connect", HELLO)) {
  FakeSocket.last.opens();
  FakeSocket.last.says({ type: "event", event: "connect.challenge", payload: { nonce: "n" } });
  await setImmediate();
  FakeSocket.last.says(frame);
}

const sentTo = (socket: FakeSocket) => socket.sent.map((text) => JSON.parse(text));

describe("against a gateway that resumes", () => {
  const hello = (challenge: unknown) => ({ challenge });

  async function live(t: TestContext) {
    const rig = start(t, { hello });
    await greets();
    FakeSocket.last.says(answer("clawkit.resume.open", { session: "s", secret: "x" }));
    t.mock.timers.tick(3_000);
    return rig;
  }

  // 32 MiB that it did not confirm ended a phone's client for good
  it("comes back when it was too slow, and announces the gap", async (t) => {
    const { seen } = await live(t);
    FakeSocket.last.ends(1008, "slow consumer");
    t.mock.timers.tick(10_000);
    await greets();
    FakeSocket.last.says({
      type: "res",
      id: "clawkit.resume.attach",
      ok: false,
      error: { details: { reason: "resume-lost" } },
    });
    FakeSocket.last.says(answer("clawkit.resume.open", { session: "s2", secret: "y" }));
    assert.deepEqual(seen, ["open", "gap 1008 slow consumer []", "open"]);
  });

  it("says hello itself, and opens behind it", async (t) => {
    const { socket, seen } = start(t, { hello });
    await greets();
    FakeSocket.last.says(event(1));
    assert.deepEqual(seen, []);
    FakeSocket.last.says(answer("clawkit.resume.open", { session: "s", secret: "x" }));
    assert.deepEqual(seen, ["open", `message ${JSON.stringify(event(1))}`]);
    const [connect, open] = sentTo(FakeSocket.last);
    assert.deepEqual(connect.params, { challenge: { nonce: "n" } });
    assert.equal(open.method, "clawkit.resume.open");
    assert.deepEqual(socket.hello, HELLO);
  });

  it("goes on behind a drop as if nothing was: sends again once what is not confirmed, passes on what was missed", async (t) => {
    const { socket, seen } = await live(t);
    for (const text of ["a", "b", "c"]) socket.send(text);
    FakeSocket.last.says({ type: "ack", n: 1 });
    FakeSocket.last.says(event(1));
    FakeSocket.last.says({ type: "event", event: "tick", payload: {} }); // the edge's
    FakeSocket.last.ends(1006);
    socket.send("d");
    t.mock.timers.tick(200);
    await greets();
    FakeSocket.last.says(event(1)); // of the connection before it is resumed
    assert.deepEqual(sentTo(FakeSocket.last)[1].params, {
      session: "s",
      secret: "x",
      received: 1,
      attempt: 1,
    });
    FakeSocket.last.says(answer("clawkit.resume.attach", { stored: 2 }));
    FakeSocket.last.says(event(2));
    assert.deepEqual(FakeSocket.last.sent.slice(2), ["c", "d"]);
    assert.deepEqual(seen.slice(1), [
      `message ${JSON.stringify(event(1))}`,
      'message {"type":"event","event":"tick","payload":{}}',
      `message ${JSON.stringify(event(2))}`,
    ]);
    assert.match(socket.state.text, /nothing was missed$/);
  });

  it("announces a gap, and what is not confirmed, where the gateway knows nothing any more", async (t) => {
    const { socket, seen } = await live(t);
    socket.send("a");
    FakeSocket.last.ends(1012, "gateway state lost, reconnect");
    socket.send("b");
    t.mock.timers.tick(200);
    await greets();
    FakeSocket.last.says({
      type: "res",
      id: "clawkit.resume.attach",
      ok: false,
      error: { code: "UNAVAILABLE", message: "gone", details: { reason: "resume-lost" } },
    });
    FakeSocket.last.says(answer("clawkit.resume.open", { session: "t", secret: "y" }));
    assert.deepEqual(seen.slice(1), ["gap 1012 gateway state lost, reconnect [a]", "open"]);
    assert.deepEqual(FakeSocket.last.sent.slice(3), ["b"]);
  });

  it("confirms what it got, and asks that way for life", async (t) => {
    await live(t);
    FakeSocket.last.says(event(1));
    t.mock.timers.tick(500);
    for (let i = 0; i < 13; i++) t.mock.timers.tick(5_000);
    assert.deepEqual(sentTo(FakeSocket.last).slice(2, 4), [
      { type: "ack", n: 1 },
      { type: "ack", n: 1, ask: true },
    ]);
  });

  it("waits as long as the gateway says that did not let it in", async (t) => {
    const { socket } = start(t, { hello });
    await greets({
      type: "res",
      id: "clawkit.connect",
      ok: false,
      error: { message: "starting", retryAfterMs: 3_000 },
    });
    assert.ok(socket.state.retryInMs! >= 3_000);
  });

  // a timer of more than 2^31-1 ms is due at once
  it("waits for weeks where the gateway asks for a month", async (t) => {
    const { socket } = start(t, { hello });
    const error = { message: "moved", retryAfterMs: 30 * DAY_MS };
    await greets({ type: "res", id: "clawkit.connect", ok: false, error });
    assert.equal(socket.state.retryInMs, 2 ** 31 - 1);
    t.mock.timers.tick(24 * DAY_MS);
    assert.equal(FakeSocket.all.length, 1);
    t.mock.timers.tick(DAY_MS);
    assert.equal(FakeSocket.all.length, 2);
  });

  it("is over when the gateway did not let it in and says with its close not to come back", async (t) => {
    const { socket, seen } = start(t, { hello });
    const error = { code: "INVALID_REQUEST", message: "unauthorized: token mismatch" };
    await greets({ type: "res", id: "clawkit.connect", ok: false, error });
    FakeSocket.last.ends(1008, "unauthorized: token mismatch");
    assert.equal(socket.state.text, "ended for good: 1008 unauthorized: token mismatch");
    t.mock.timers.tick(600_000);
    assert.equal(FakeSocket.all.length, 1);
    assert.deepEqual(seen, ["error", "close 1008 unauthorized: token mismatch"]);
  });

  it("does not wait for ever for the close of a gateway that did not let it in", async (t) => {
    start(t, { hello });
    await greets({ type: "res", id: "clawkit.connect", ok: false, error: { message: "no" } });
    t.mock.timers.tick(5_000);
    assert.equal(FakeSocket.last.closed.length, 1);
    t.mock.timers.tick(250);
    assert.equal(FakeSocket.all.length, 2);
  });

  it("is patient where the gateway asks for it, also when the network is back", async (t) => {
    const page = pageOf(t);
    start(t, { hello });
    const error = { message: "starting", retryAfterMs: 3_000 };
    await greets({ type: "res", id: "clawkit.connect", ok: false, error });
    page.dispatchEvent(new Event("online"));
    assert.equal(FakeSocket.all.length, 1);
  });

  it("does not leave a connection because the params of an earlier one could not be had", async (t) => {
    const params = [Promise.withResolvers<object>(), Promise.withResolvers<object>()];
    let asked = 0;
    const { socket } = start(t, { hello: () => params[asked++]!.promise });
    const challenge = { type: "event", event: "connect.challenge", payload: { nonce: "n" } };
    FakeSocket.last.opens();
    FakeSocket.last.says(challenge);
    t.mock.timers.tick(20_000); // given up
    t.mock.timers.tick(250);
    FakeSocket.last.opens();
    FakeSocket.last.says(challenge);
    params[0]!.reject(new Error("no network"));
    await setImmediate();
    assert.equal(FakeSocket.last.closed.length, 0);
    assert.equal(socket.state.name, "connecting");
  });

  for (const [reason, said] of [
    [undefined, "undefined"],
    [null, "null"],
    ["no token", "no token"],
    [new Error("locked"), "locked"],
  ] as const) {
    it(`tries again where its hello is rejected: ${said}`, async (t) => {
      const { socket } = start(t, { hello: () => Promise.reject(reason) });
      FakeSocket.last.opens();
      FakeSocket.last.says({ type: "event", event: "connect.challenge", payload: { nonce: "n" } });
      await setImmediate();
      assert.equal(socket.state.text.split(": next try")[0], `4000 the params of connect: ${said}`);
    });
  }

  it("does not open behind its close because hello was under way", async (t) => {
    const { socket, seen } = start(t, { hello });
    FakeSocket.last.opens();
    FakeSocket.last.says({ type: "event", event: "connect.challenge", payload: { nonce: "n" } });
    await setImmediate();
    socket.close();
    FakeSocket.last.says(answer("clawkit.connect", { features: { methods: [] } }));
    assert.equal(socket.readyState, socket.CLOSING);
    FakeSocket.last.ends(1000);
    assert.deepEqual(seen, ["close 1000"]);
    assert.equal(socket.state.text, "closed by this application");
  });

  it("is closed as it asked for though its hello fails meanwhile", async (t) => {
    const params = Promise.withResolvers<object>();
    const { socket, seen } = start(t, { hello: () => params.promise });
    FakeSocket.last.opens();
    FakeSocket.last.says({ type: "event", event: "connect.challenge", payload: { nonce: "n" } });
    socket.close(3000, "enough");
    params.reject(new Error("no token"));
    await setImmediate();
    FakeSocket.last.ends(3000, "enough");
    assert.deepEqual(seen, ["close 3000 enough"]);
  });

  it("announces a gap where the gateway knows less than it had confirmed, as from a backup", async (t) => {
    const { socket, seen } = await live(t);
    for (const text of ["a", "b"]) socket.send(text);
    FakeSocket.last.says({ type: "ack", n: 1 });
    FakeSocket.last.ends(1006);
    t.mock.timers.tick(200);
    await greets();
    FakeSocket.last.says(answer("clawkit.resume.attach", { stored: 0 }));
    t.mock.timers.tick(2_000);
    await greets();
    assert.equal(sentTo(FakeSocket.last)[1].method, "clawkit.resume.open");
    FakeSocket.last.says(answer("clawkit.resume.open", { session: "t", secret: "y" }));
    assert.deepEqual(seen.slice(1), ["gap the connection broke off [b]", "open"]);
  });

  it("counts what is not confirmed to what it can hold", async (t) => {
    const { socket } = await live(t);
    socket.send("x".repeat(16 * 1024 * 1024));
    FakeSocket.last.ends(1006);
    assert.throws(() => socket.send("y"), /wait already/);
  });

  it("sends no bytes", async (t) => {
    const { socket } = await live(t);
    assert.throws(() => socket.send(new Uint8Array(1)), /its protocol is text/);
  });
});

// a gateway hangs up with 1000 on who says no hello for 15 s: a prompt that waits to be signed ended the client for good
describe("against a gateway that was not told hello in time", () => {
  it("comes back", (t) => {
    const { seen } = start(t, { hello: () => new Promise(() => undefined) });
    FakeSocket.last.opens();
    FakeSocket.last.says({ type: "event", event: "connect.challenge", payload: { nonce: "n" } });
    t.mock.timers.tick(15_000);
    FakeSocket.last.ends(1000);
    t.mock.timers.tick(10_000);
    assert.deepEqual(seen, []);
    assert.equal(FakeSocket.all.length, 2);
  });

  it("does not come back behind the 1000 of a connection that was live", async (t) => {
    const { seen } = start(t, { hello: () => ({}) });
    await greets(answer("clawkit.connect", { features: { methods: [] } }));
    FakeSocket.last.ends(1000);
    assert.deepEqual(seen, ["open", "error", "close 1000"]);
  });
});

describe("against a gateway that does not resume", () => {
  it("announces the gap", async (t) => {
    const { seen } = start(t, { hello: () => ({}) });
    const plain = answer("clawkit.connect", { features: { methods: [] } });
    await greets(plain);
    FakeSocket.last.ends(1006);
    t.mock.timers.tick(500);
    await greets(plain);
    assert.deepEqual(seen, ["open", "gap the connection broke off []", "open"]);
  });
});
