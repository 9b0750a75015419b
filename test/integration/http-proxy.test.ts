import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { after, before, describe, test } from "node:test";
import { program, TestClawkit, until } from "../helpers/clawkit.ts";
import { type AskOptions, ask, askJson, bodyOf, open } from "../helpers/http.ts";
import { RawClient, upgradeHead } from "../helpers/raw.ts";

const MB = 1024 * 1024;

/** What the fixture `http-app` says of a request. */
interface Inspected {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: string[];
  readonly bytes: number;
  readonly sha256: string;
}

/** All that `http-app` was asked, and what of it nobody waited for. */
interface Seen {
  readonly requests: string[];
  readonly cancelled: string[];
}

let app: TestClawkit;
/** In front of a gateway that speaks WebSocket only. */
let bare: TestClawkit;

before(async () => {
  const run = (command: string[]) => TestClawkit.run({ gateway: { upstream: { type: "command", command } } });
  [app, bare] = await Promise.all([run(program("http-app", "--health")), run(program("echo"))]);
});
after(() => Promise.all([app, bare].map((clawkit) => clawkit?.[Symbol.asyncDispose]())));

const seen = () => askJson<Seen>(app.port, "/seen");

describe("a plain request reaches the gateway as it was sent", () => {
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]) {
    test(`${method}, with path and query`, async () => {
      const path = `/inspect?method=${method}&x=%2F..%20`;
      const got = await askJson<Inspected>(app.port, path, { method });
      assert.deepEqual([got.method, got.url, got.bytes], [method, path, 0]);
    });
  }

  test("HEAD, which is answered without a body", async () => {
    const { status, headers, body } = await ask(app.port, "/bytes?n=1000&framing=length", { method: "HEAD" });
    assert.deepEqual([status, headers["content-length"], body.length], [200, "1000", 0]);
  });

  test("headers keep their order, case and repetition", async () => {
    const headers = [
      "Host",
      "my.host:1",
      "X-B",
      "1",
      "x-a",
      "2",
      "X-B",
      "3",
      "Cookie",
      "a=b; c=d",
      "ACCEPT",
      "*/*",
    ];
    const got = await askJson<Inspected>(app.port, "/inspect", {
      headers: [...headers, "Connection", "close"],
    });
    assert.deepEqual(got.rawHeaders, [...headers, "Connection", "keep-alive"]);
  });

  test("hop-by-hop headers end at the edge, with those that Connection names", async () => {
    const hopByHop = ["Keep-Alive", "timeout=9", "TE", "trailers", "Proxy-Authorization", "Basic eA=="];
    const named = ["X-Hop", "1", "X-Other-Hop", "2"];
    const headers = [
      "Host",
      "x",
      ...hopByHop,
      "Connection",
      "x-hop, X-OTHER-HOP, close",
      ...named,
      "X-Stays",
      "3",
    ];
    const got = await askJson<Inspected>(app.port, "/inspect", { headers });
    assert.deepEqual(got.rawHeaders, ["Host", "x", "X-Stays", "3", "Connection", "keep-alive"]);
  });

  const body = Buffer.alloc(5 * MB, "0123456789abcdef-");
  const sha256 = createHash("sha256").update(body).digest("hex");
  const FRAMINGS: Record<string, AskOptions["headers"]> = {
    "Content-Length": { "Content-Length": body.length },
    chunks: { "Transfer-Encoding": "chunked" },
  };
  for (const [framing, headers] of Object.entries(FRAMINGS)) {
    test(`a body of 5 MB, with ${framing}`, async () => {
      const got = await askJson<Inspected>(app.port, "/inspect", { method: "POST", headers: headers!, body });
      assert.deepEqual([got.bytes, got.sha256], [body.length, sha256]);
      assert.ok(got.rawHeaders.includes(Object.keys(headers!)[0]!), String(got.rawHeaders));
    });

    test(`a body of 5 MB on a GET, with ${framing}`, async () => {
      const got = await askJson<Inspected>(app.port, "/inspect", { headers: headers!, body });
      assert.deepEqual([got.bytes, got.sha256], [body.length, sha256]);
    });
  }

  test("5 MB in both directions at once", async () => {
    const answer = await ask(app.port, "/mirror", {
      method: "POST",
      headers: { "Transfer-Encoding": "chunked" },
      body,
    });
    assert.equal(createHash("sha256").update(answer.body).digest("hex"), sha256);
  });

  test("an upload that waits for 100 Continue", async () => {
    const { request, response } = open(app.port, "/inspect", {
      method: "PUT",
      headers: { Expect: "100-continue", "Content-Length": 5 },
    });
    request.flushHeaders();
    await once(request, "continue");
    request.end("hello");
    assert.equal((JSON.parse(String(await bodyOf(await response))) as Inspected).bytes, 5);
  });
});

describe("the gateway's answer reaches the client as it was sent", () => {
  test("status, and headers that repeat", async () => {
    const { status, rawHeaders } = await ask(app.port, "/status?code=418");
    assert.equal(status, 418);
    assert.deepEqual(rawHeaders.slice(0, 4), ["X-Twice", "1", "X-Twice", "2"]);
  });

  for (const code of [204, 304]) {
    test(`${code}, which has no body`, async () => {
      const { status, body } = await ask(app.port, `/status?code=${code}`);
      assert.deepEqual([status, body.length], [code, 0]);
    });
  }

  test("hop-by-hop headers end at the edge, with those that Connection names", async () => {
    const { headers, body } = await ask(app.port, "/hop-by-hop");
    const { connection, "x-end-to-end": stays, "x-internal": named } = headers;
    assert.deepEqual({ connection, stays, named }, { connection: "close", stays: "yes", named: undefined });
    assert.deepEqual([headers["keep-alive"], headers["proxy-authenticate"]], [undefined, undefined]);
    assert.equal(body.toString(), "ok");
  });

  test("a body of 5 MB, with Content-Length", async () => {
    const { headers, body } = await ask(app.port, `/bytes?n=${5 * MB}&framing=length`);
    assert.deepEqual([headers["content-length"], body.length], [String(5 * MB), 5 * MB]);
  });

  test("a body of 5 MB, with chunks", async () => {
    const { headers, body } = await ask(app.port, `/bytes?n=${5 * MB}`);
    assert.deepEqual([headers["transfer-encoding"], body.length], ["chunked", 5 * MB]);
  });

  test("a body that was cut short does not look complete", async () => {
    await assert.rejects(ask(app.port, "/cut"), { code: "ECONNRESET" });
  });

  test("two requests in one packet are answered in order", async () => {
    using client = await RawClient.connect(app.port);
    client.send(
      "GET /slow-head?ms=100 HTTP/1.1\r\nHost: x\r\n\r\nGET /status?code=418 HTTP/1.1\r\nHost: x\r\n\r\n",
    );
    const answers = await client.until(() => {
      const found = client.text.match(/(?<=^HTTP\/1\.1 )\d+/gm);
      return found?.length === 2 ? found : undefined;
    });
    assert.deepEqual(answers, ["200", "418"]);
  });
});

describe("nothing is kept back", () => {
  /** Opens a stream of server-sent events, and gives up on its head after a while. */
  async function openEvents(): Promise<IncomingMessage> {
    const { request, response } = open(app.port, "/events");
    request.end();
    const late = AbortSignal.timeout(5_000);
    late.addEventListener("abort", () => request.destroy(new Error("no head came")));
    return await response;
  }
  const send = (text: string) => ask(app.port, "/events", { method: "POST", body: text });

  test("the head of a stream comes before its first event", async () => {
    const response = await openEvents();
    assert.equal(response.headers["content-type"], "text/event-stream");
    response.destroy();
  });

  test("each event comes when it is sent", async () => {
    const { request, response } = open(app.port, "/events");
    request.end();
    await until(
      async () =>
        (await askJson<{ streams: number }>(app.port, "/events", { method: "POST" })).streams || undefined,
    );
    const stream = (await response).setEncoding("utf8");
    let text = "";
    stream.on("data", (chunk) => (text += chunk));
    for (let i = 0; i < 5; i++) {
      await send(`event ${i}`);
      await until(() => (text.includes(`data: event ${i}\n\n`) ? true : undefined));
    }
    request.destroy();
  });

  test("the head of an upload reaches the gateway before its body", async () => {
    const { request, response } = open(app.port, "/early", { method: "POST" });
    request.flushHeaders();
    AbortSignal.timeout(5_000).addEventListener("abort", () => request.destroy(new Error("no answer came")));
    assert.equal(String((await once(await response, "data"))[0]), "head seen\n");
    request.destroy();
  });

  test("an upload reaches the gateway piece by piece", async () => {
    const { request, response } = open(app.port, "/early", { method: "POST" });
    request.write("first");
    const incoming = (await response).setEncoding("utf8");
    let text = "";
    incoming.on("data", (chunk) => (text += chunk));
    await until(() => (text === "head seen\n5\n" ? true : undefined));
    request.write("the next");
    await until(() => (text === "head seen\n5\n8\n" ? true : undefined));
    request.end();
    await once(incoming, "end");
    assert.equal(text, "head seen\n5\n8\nend\n");
  });
});

describe("a client that goes away is not served any more", () => {
  const untilCancelled = (what: string) =>
    until(async () => ((await seen()).cancelled.includes(what) ? true : undefined), 5_000);
  const untilAsked = (what: string) =>
    until(async () => ((await seen()).requests.includes(what) ? true : undefined), 5_000);

  test("before the answer, and its request is not repeated", async () => {
    const path = "/slow-head?ms=60000";
    // the connection that is kept after this one is used for the next
    await ask(app.port, "/status?code=204");
    const { request } = open(app.port, path);
    request.on("error", () => undefined).end();
    await untilAsked(`GET ${path}`);
    request.destroy();
    await untilCancelled(`GET ${path}`);
    await ask(app.port, "/status?code=204");
    const { requests } = await seen();
    assert.equal(requests.filter((asked) => asked === `GET ${path}`).length, 1);
  });

  test("before the answer to its upgrade", async () => {
    using client = await RawClient.connect(app.port);
    client.send(upgradeHead({ path: "/slow-head?ms=60001" }));
    await untilAsked("GET /slow-head?ms=60001");
    client.socket.destroy();
    await untilCancelled("GET /slow-head?ms=60001");
  });

  test("in the middle of a download", async () => {
    const { request, response } = open(app.port, `/bytes?n=${500 * MB}`);
    request.end();
    await once(await response, "data");
    request.destroy();
    await untilCancelled(`GET /bytes?n=${500 * MB}`);
  });

  test("in the middle of an upload", async () => {
    const { request } = open(app.port, "/inspect?upload", { method: "POST" });
    request.on("error", () => undefined).write("a part");
    await untilAsked("POST /inspect?upload");
    request.destroy();
    await untilCancelled("POST /inspect?upload");
  });

  test("in the middle of an answer to an upgrade that is not 101", async () => {
    using client = await RawClient.connect(app.port);
    client.send(upgradeHead({ path: "/events?upgrade" }));
    assert.equal((await client.answer()).status, 200);
    client.socket.destroy();
    await untilCancelled("GET /events?upgrade");
  });
});

describe("one connection's requests stay apart", () => {
  // Connection named the header that frames the body: it was dropped, and the body stood there as a request of its own.
  for (const method of ["GET", "HEAD", "DELETE", "OPTIONS", "POST"]) {
    test(`${method} whose Content-Length is named in Connection smuggles nothing`, async () => {
      const smuggled = `GET /smuggled?by=${method} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n`;
      using client = await RawClient.connect(app.port);
      client.send(
        `${method} /inspect HTTP/1.1\r\nHost: x\r\nConnection: content-length\r\n` +
          `Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
      );
      await client.answer();
      // a later request: what was smuggled before it has arrived by now
      await ask(app.port, "/status?code=204");
      const { requests } = await seen();
      assert.ok(!requests.includes(`GET /smuggled?by=${method}`), "the gateway got the smuggled request");
    });
  }

  test("what is no HTTP behind a request does not get into its answer", async () => {
    using client = await RawClient.connect(app.port);
    client.send("GET /early HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    await client.until(() => (client.text.includes("\r\n5\n\r\n") ? true : undefined));
    client.send("no chunk size\r\n");
    await client.over();
    assert.equal(client.text.match(/HTTP\/1\.1 \d+/g)?.join(), "HTTP/1.1 200");
  });

  test("an upgrade behind an unfinished request is not answered in its place", async () => {
    using client = await RawClient.connect(app.port);
    client.send(
      `GET /slow-head?ms=200 HTTP/1.1\r\nHost: x\r\n\r\n${upgradeHead({ path: "/status?code=418" })}`,
    );
    await client
      .until((received) => (received.length > 0 ? true : client.isOver || undefined))
      .catch(() => undefined);
    assert.doesNotMatch(client.text, /^HTTP\/1\.1 418/);
  });
});

describe("health endpoints speak for the gateway", () => {
  const PATHS = ["/healthz", "/startupz", "/readyz"];

  for (const path of PATHS) {
    test(`${path} is the gateway's own`, async () => {
      assert.deepEqual(await askJson(app.port, path), { from: "gateway", path });
    });

    test(`${path} is the gateway's own when it is not well`, async () => {
      for (const wanted of [503, 500]) {
        await ask(app.port, `/health?status=${wanted}`);
        const { status, body } = await ask(app.port, `${path}?verbose`).finally(() =>
          ask(app.port, "/health?status=200"),
        );
        assert.deepEqual([status, JSON.parse(body.toString())], [wanted, { from: "gateway", path }]);
      }
    });
  }

  const BUILT: Record<string, object> = {
    "/healthz": { ok: true, status: "live" },
    "/startupz": { ok: true, ready: true },
    "/readyz": { ok: true, ready: true },
  };
  for (const [path, wanted] of Object.entries(BUILT)) {
    test(`${path} is built for a gateway without it`, async () => {
      const { status, headers, body } = await ask(bare.port, path);
      assert.deepEqual([status, headers["content-type"]], [200, "application/json"]);
      assert.deepEqual(JSON.parse(body.toString()), wanted);
    });
  }

  test("other paths of a gateway that speaks WebSocket only are its own 426", async () => {
    assert.equal((await ask(bare.port, "/")).status, 426);
  });

  for (const path of ["/__clawkit__/healthz", "/__clawkit__/readyz", "/__clawkit__/healthz?verbose"]) {
    test(`${path} is the edge's own`, async () => {
      const { status, body } = await ask(app.port, path);
      assert.equal(status, 200);
      assert.deepEqual(JSON.parse(body.toString()), {
        ok: true,
        connections: 0,
        held: 0,
        gatewayState: "ready",
      });
    });
  }

  test("nothing else under /__clawkit__/ reaches the gateway", async () => {
    const { status, headers } = await ask(app.port, "/__clawkit__/inspect.txt");
    assert.deepEqual([status, headers["content-type"]], [404, "text/plain; charset=utf-8"]);
    assert.ok(!(await seen()).requests.some((request) => request.includes("__clawkit__")));
  });
});

describe("a living gateway that drops a connection", () => {
  test("before its answer: 502 or 503, and no word of a start", async () => {
    const { status, body } = await ask(app.port, "/drop");
    assert.ok(status === 502 || status === 503, String(status));
    assert.doesNotMatch(body.toString(), /starting/);
  });

  // A kept connection whose idle timeout ran out while the next request was under way (RFC 9110 §9.2.2).
  test("that was kept for the next request: a GET is sent again on a new one", async () => {
    assert.equal((await ask(app.port, "/close-when-reused")).status, 200);
    assert.equal((await ask(app.port, "/close-when-reused")).status, 200);
  });

  test("that was kept for the next request: a POST, which may have run, is not sent again", async () => {
    assert.equal((await ask(app.port, "/close-when-reused?first")).status, 200);
    using client = await RawClient.connect(app.port);
    client.send("POST /close-when-reused?second HTTP/1.1\r\nHost: x\r\n\r\n");
    await client.answer();
    const { requests } = await seen();
    assert.equal(requests.filter((asked) => asked === "POST /close-when-reused?second").length, 1);
  });
});

// last, as the gateway does not come back
describe("while the gateway is away", () => {
  const REASON = "gateway ended (refused to start, exit code 78) and is not started again";
  before(async () => {
    await ask(app.port, "/exit?code=78").catch(() => undefined);
    await app.untilStatus(({ gateway }) => gateway.state === "refused");
  });

  for (const path of ["/", "/healthz", "/startupz", "/readyz"]) {
    test(`${path} is 503 with JSON and Retry-After`, async () => {
      const { status, headers, body } = await ask(app.port, path);
      assert.deepEqual([status, headers["content-type"]], [503, "application/json"]);
      assert.match(headers["retry-after"] ?? "", /^\d+$/);
      assert.deepEqual(JSON.parse(body.toString()), {
        ok: false,
        ready: false,
        status: "away",
        reason: REASON,
      });
    });
  }

  const browser = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

  test("a browser gets a page that says so and tries again", async () => {
    const { status, headers, body } = await ask(app.port, "/chat", { headers: browser });
    assert.deepEqual([status, headers["content-type"]], [503, "text/html; charset=utf-8"]);
    assert.equal(headers["cache-control"], "no-store");
    assert.match(String(headers["content-security-policy"]), /^default-src 'none'/);
    assert.match(headers["retry-after"] ?? "", /^\d+$/);
    assert.match(body.toString(), /<meta http-equiv="refresh" content="\d+">/);
    assert.ok(body.toString().includes(REASON));
  });

  test("a browser's own requests to health endpoints get JSON all the same", async () => {
    const { status, headers } = await ask(app.port, "/healthz", { headers: browser });
    assert.deepEqual([status, headers["content-type"]], [503, "application/json"]);
  });

  test("a form that a browser sends gets no page", async () => {
    const { status, headers } = await ask(app.port, "/form", {
      method: "POST",
      headers: browser,
      body: "a=b",
    });
    assert.deepEqual([status, headers["content-type"]], [503, "application/json"]);
  });

  test("the edge itself is well, and not ready", async () => {
    const state = { connections: 0, held: 0, gatewayState: "away" };
    assert.deepEqual(await askJson(app.port, "/__clawkit__/healthz"), { ok: true, ...state });
    const { status, body } = await ask(app.port, "/__clawkit__/readyz");
    assert.deepEqual([status, JSON.parse(body.toString())], [503, { ok: false, ...state }]);
  });
});
