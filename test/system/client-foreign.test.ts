import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { WebSocketServer } from "ws";
import type { ClientSocket } from "../../src/client/index.ts";
import { startBrowser, whyNoBrowser } from "../helpers/browser.ts";
import { builtLibrary, CUTS, longOutage, MESSAGES, throughCuts } from "../helpers/client-cuts.ts";
import { CutProxy } from "../helpers/cut-proxy.ts";
import type { Random } from "../helpers/random.ts";

// The client library at a server that knows nothing of it: what is lost is announced, nothing is repeated or reordered.

/** Numbers what it says, one for each message that it hears, and notes what it hears. */
class ForeignServer implements AsyncDisposable {
  readonly heard: number[] = [];
  #said = 0;
  readonly #http = http.createServer((_, response) => response.end("<!doctype html>"));
  readonly #server = new WebSocketServer({ server: this.#http });

  async listen(): Promise<number> {
    this.#server.on("connection", (socket) =>
      socket.on("message", (data) => {
        this.heard.push(Number(data));
        socket.send(String(++this.#said));
      }),
    );
    this.#http.listen(0, "127.0.0.1");
    await once(this.#http, "listening");
    return (this.#http.address() as AddressInfo).port;
  }

  terminate(): void {
    for (const client of this.#server.clients) client.terminate();
  }

  restart(): void {
    for (const client of this.#server.clients) client.close(1012, "restarting, reconnect now");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.terminate();
    this.#http.close();
    this.#http.closeAllConnections();
    await once(this.#http, "close");
  }
}

const cuts: readonly ((server: ForeignServer, proxy: CutProxy, random: Random) => unknown)[] = [
  (_, proxy) => proxy.drop(),
  (_, proxy) => proxy.reset(),
  (_, proxy, random) => proxy.outage(random.below(1_000)),
  (server) => server.restart(),
  (server) => server.terminate(),
];

describe(`at a foreign server over a link that is cut ${CUTS} times`, {
  timeout: 1_800_000,
  concurrency: true,
}, () => {
  test("in Node", (t) =>
    announced(t, async (host, library) => {
      await startTalk({ host, library });
      return {
        sendUntil: (upTo) => sendUntil(upTo),
        seen: async () => talk.seen,
        end: async () => talk.end(),
      };
    }));

  test("in Chromium", { skip: whyNoBrowser() }, (t) =>
    announced(t, async (host, library) => {
      const browser = await startBrowser();
      const page = await browser.newPage();
      await page.goto(`http://${host}/`);
      await page.evaluate(startTalk, { host, library });
      return {
        sendUntil: (upTo) => page.evaluate(sendUntil, upTo),
        seen: () => page.evaluate(() => talk.seen),
        end: () => browser.close(),
      };
    }),
  );
});

type Seen = number | string;

interface Client {
  readonly sendUntil: (upTo: { readonly count: number; readonly gaps: number }) => Promise<void>;
  readonly seen: () => Promise<readonly Seen[]>;
  readonly end: () => Promise<unknown>;
}

async function announced(t: TestContext, start: (host: string, library: string) => Promise<Client>) {
  await using server = new ForeignServer();
  await using proxy = await CutProxy.start(await server.listen());
  const client = await start(proxy.host, await builtLibrary());
  try {
    await throughCuts(
      t,
      (n, random) =>
        n % 12 === 0 ? longOutage(proxy, random) : cuts[n % cuts.length]!(server, proxy, random),
      (count, gaps) => client.sendUntil({ count, gaps }),
    );
    const seen = await client.seen();
    assert.deepEqual(
      seen.filter((what) => typeof what === "string" && what !== "gap" && what !== "open"),
      [],
    );
    assert.equal(seen.filter((what) => what === "gap").length, CUTS);
    assert.deepEqual(holesWithoutGap(seen), []);
    const { heard } = server;
    const repeated = heard.filter((n, i) => i > 0 && n <= heard[i - 1]!);
    assert.deepEqual(repeated, []);
    const holes = heard.filter((n, i) => n !== (heard[i - 1] ?? 0) + 1);
    assert.ok(holes.length <= CUTS, `${holes.length} times something was lost on its way, at ${CUTS} gaps`);
    assert.equal(heard.at(-1), MESSAGES);
    t.diagnostic(
      `${MESSAGES - heard.length} of ${MESSAGES} messages to it and ${heard.length - seen.filter(Number).length} from it were lost, each behind an announced gap`,
    );
  } finally {
    await client.end();
  }
}

/** Numbers that are missing, repeated or in another's place, and where no gap was announced. */
function holesWithoutGap(seen: readonly Seen[]): string[] {
  const wrong: string[] = [];
  let last = 0;
  let mayMiss = false;
  for (const what of seen) {
    if (what === "gap") mayMiss = true;
    if (typeof what !== "number") continue;
    if (what <= last || (what !== last + 1 && !mayMiss)) wrong.push(`${what} behind ${last}`);
    last = what;
    mayMiss = false;
  }
  return wrong;
}

/** What runs in the page, or here, and is there as `talk`. */
interface Talk {
  readonly socket: ClientSocket;
  readonly seen: Seen[];
  sent: number;
  onSeen: () => void;
  readonly end: () => void;
}

declare const talk: Talk;

/** Resolves when it is connected: a cut before would be none to it, and is waited for in vain. */
async function startTalk({ host, library }: { host: string; library: string }): Promise<void> {
  const url = `data:text/javascript,${encodeURIComponent(library)}`;
  const { ClientSocket: Socket } = (await import(url)) as { ClientSocket: typeof ClientSocket };
  const socket = new Socket(`ws://${host}/`);
  const started: Talk = { socket, seen: [], sent: 0, onSeen: () => {}, end: () => socket.close() };
  const see = (what: Seen) => {
    started.seen.push(what);
    started.onSeen();
  };
  socket.onopen = () => see("open");
  socket.ongap = () => see("gap");
  socket.onmessage = ({ data }) => see(Number(data));
  socket.onclose = ({ code, reason }) => see(`closed: ${code} ${reason}`);
  Object.assign(globalThis, { talk: started });
  await new Promise<void>((resolve) => {
    started.onSeen = resolve;
  });
}

/**
 * Sends numbers one by one, also while it is away. There may be a next cut once it is back, was heard, and held: behind connections that do
 * not hold for 2 s the library waits longer and longer.
 */
async function sendUntil({ count, gaps }: { count: number; gaps: number }): Promise<void> {
  while (talk.sent < count - 1) {
    talk.socket.send(String(++talk.sent));
    if (talk.sent % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const back = () => talk.seen.filter((what) => what === "open").length > gaps;
  await new Promise<void>((resolve) => {
    talk.onSeen = () => back() && resolve();
    talk.onSeen();
  });
  const heard = talk.seen.length;
  talk.socket.send(String(++talk.sent));
  await new Promise<void>((resolve) => {
    talk.onSeen = () => talk.seen.slice(heard).some((what) => typeof what !== "string") && resolve();
    talk.onSeen();
  });
  await new Promise((resolve) => setTimeout(resolve, 2_000));
}
