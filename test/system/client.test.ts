import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ClientSocket } from "../../src/client/index.ts";
import { startBrowser, whyNoBrowser } from "../helpers/browser.ts";
import { TestClawkit, TOKEN } from "../helpers/clawkit.ts";
import { builtLibrary, CUTS, longOutage, MESSAGES, throughCuts } from "../helpers/client-cuts.ts";
import { CutProxy } from "../helpers/cut-proxy.ts";
import { NumberedTalk } from "../helpers/numbered-talk.ts";
import type { Random } from "../helpers/random.ts";
import { connectParams, RawGatewayClient } from "../helpers/raw-gateway-client.ts";

// The client library at the built-in gateway, over a network that is cut, an edge and a gateway that are killed: nothing is lost,
// repeated or reordered.

const CONNECT = connectParams({ auth: { token: TOKEN }, scopes: ["operator.admin"] });

type Cut = (clawkit: TestClawkit, proxy: CutProxy, random: Random) => unknown;

const cuts: readonly Cut[] = [
  (_, proxy) => proxy.drop(),
  (_, proxy) => proxy.reset(),
  (_, proxy, random) => proxy.outage(random.below(1_000)),
  async (clawkit) => process.kill((await clawkit.ready()).gateway.pid!, "SIGKILL"),
  (_, proxy) => proxy.drop(),
  (_, proxy) => proxy.reset(),
];

/** Rarer: a supervisor gives its edge ten quick restarts. */
const edgeEnds: Cut = async (clawkit) => process.kill((await clawkit.ready()).edge.pid!, "SIGKILL");

function cutNumber(n: number): Cut {
  if (n % 12 === 6) return edgeEnds;
  if (n % 12 === 0) return (_, proxy, random) => longOutage(proxy, random);
  return cuts[n % cuts.length]!;
}

describe(`${MESSAGES} messages each way over a link that is cut ${CUTS} times`, {
  timeout: 1_800_000,
  concurrency: true,
}, () => {
  test("in Node", async (t) => {
    await using clawkit = await TestClawkit.run();
    await using proxy = await CutProxy.start(clawkit.port);
    const socket = new ClientSocket(`ws://${proxy.host}`, [], { hello: () => CONNECT });
    try {
      const talk = new NumberedTalk(socket);
      const cut = (n: number, random: Random) => cutNumber(n)(clawkit, proxy, random);
      await throughCuts(t, cut, (count) => talk.askUntil(count));
      talk.check();
      t.diagnostic(
        `${socket.journal.filter(({ name }) => name === "waiting").length} of the last states: waiting`,
      );
    } finally {
      socket.close();
    }
  });

  test("in Chromium", { skip: whyNoBrowser() }, async (t) => {
    await using rig = await startPage();
    const { clawkit, proxy, page } = rig;
    const cut = (n: number, random: Random) => cutNumber(n)(clawkit, proxy, random);
    await throughCuts(t, cut, (count) => page.evaluate(askUntil, count));
    assert.deepEqual(await page.evaluate(seen), { wrong: [], answered: MESSAGES, opened: 1 });
  });
});

test("a page that is frozen while its network is cut misses nothing", { skip: whyNoBrowser() }, async () => {
  await using rig = await startPage();
  const { proxy, page, clawkit } = rig;
  await page.evaluate(askUntil, 50);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
  proxy.drop();
  using other = new RawGatewayClient(clawkit.url); // an event that the page has to get
  await other.connect({ auth: { token: TOKEN } });
  await other.event("presence");
  await devtools.send("Page.setWebLifecycleState", { state: "active" });
  await page.evaluate(askUntil, 100);
  assert.deepEqual(await page.evaluate(seen), { wrong: [], answered: 100, opened: 1 });
});

/** A page of the gateway's own origin with the library in it, behind a network that can be cut. */
async function startPage() {
  await using started = new AsyncDisposableStack();
  const clawkit = started.use(await TestClawkit.create());
  const proxy = started.use(await CutProxy.start(clawkit.port));
  await clawkit.writeConfig({ gateway: { allowedOrigins: [`http://${proxy.host}`] } });
  await clawkit.runForeground();
  await clawkit.ready();
  const browser = await startBrowser();
  started.defer(() => browser.close());
  const page = await browser.newPage({ bypassCSP: true });
  await page.goto(`http://${proxy.host}/`);
  await page.evaluate(startTalk, { library: await builtLibrary(), connect: CONNECT });
  const all = started.move();
  return { clawkit, proxy, page, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** What runs in the page, and is there as `talk`: the same as NumberedTalk, which a page cannot import. */
interface PageTalk {
  readonly wrong: string[];
  answered: number;
  opened: number;
  readonly askUntil: (count: number) => Promise<void>;
}

async function startTalk({ library, connect }: { library: string; connect: object }): Promise<void> {
  const url = `data:text/javascript,${encodeURIComponent(library)}`;
  const { ClientSocket: Socket } = (await import(url)) as { ClientSocket: typeof ClientSocket };
  const socket = new Socket(`ws://${location.host}/`, [], { hello: () => connect });
  let asked = 0;
  let limit = 0;
  let events = 0;
  let done = () => {};
  const ask = () => {
    while (talk.opened > 0 && asked < limit && asked - talk.answered < 32)
      socket.send(JSON.stringify({ type: "req", id: String(++asked), method: "health", params: {} }));
  };
  const talk: PageTalk = {
    wrong: [],
    answered: 0,
    opened: 0,
    askUntil: (count) =>
      new Promise((resolve) => {
        limit = count;
        done = () => (talk.answered >= limit || talk.wrong.length > 0) && resolve();
        ask();
        done();
      }),
  };
  socket.onopen = () => {
    talk.opened++;
    ask();
  };
  const isWrong = (what: string) => {
    talk.wrong.push(what);
    done();
  };
  socket.ongap = ({ reason }) => isWrong(`a gap: ${reason}`);
  socket.onclose = ({ code, reason }) => isWrong(`closed: ${code} ${reason}`);
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.type === "res" && frame.id !== String(++talk.answered)) isWrong(data);
    if (frame.type === "event" && frame.seq !== undefined && frame.seq !== ++events) isWrong(data);
    ask();
    done();
  };
  Object.assign(globalThis, { talk });
}

declare const talk: PageTalk;
declare const location: { readonly host: string };

function askUntil(count: number): Promise<void> {
  return talk.askUntil(count);
}

function seen() {
  const { wrong, answered, opened } = talk;
  return { wrong, answered, opened };
}
