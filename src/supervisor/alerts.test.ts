import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Config } from "../config/schema.ts";
import type { IncidentNews } from "../core/messages.ts";
import { type Alert, sendAlert, type Webhook } from "./alert-sender.ts";
import { Alerts } from "./alerts.ts";

const START = Date.parse("2026-11-22T10:00:00.000Z");
const MINUTE = 60_000;

/** Everything of it behind the host is a secret. */
const URL_A = "https://hooks.test:8443/services/T0-SECRET?key=SECRET";
const URL_B = "https://ntfy.test/SECRET-topic";
const URL_BEAT = "https://beat.test/SECRET-uuid";

const webhook = (url = URL_A, format: Webhook["format"] = "json"): Webhook => ({ url, format });

const GATEWAY: IncidentNews = {
  id: "i-1",
  role: "gateway",
  cause: "killed-by-signal",
  verdict: "confirmed",
  summary: "a person or program killed it (SIGKILL)",
  openedAt: "2026-11-22T10:00:00.000Z",
  closedAt: null,
  clients: 0,
};
const CLOSED: IncidentNews = { ...GATEWAY, closedAt: "2026-11-22T10:00:01.500Z", clients: 12 };

interface Call {
  /** Milliseconds since the start. */
  readonly at: number;
  readonly url: string;
  readonly method: string | undefined;
  /** The body of a message in the format json. */
  readonly alert: Alert;
}

/** What a receiver does: an HTTP status, an error of the network, or whatever the test makes of it. */
type Answer = number | Error | Promise<Response>;

/** Alerts to a receiver that is no network, in a time that only the test lets pass. */
async function rig(
  t: TestContext,
  options: { webhooks?: Webhook[]; heartbeat?: string; answer?: (url: string, count: number) => Answer } = {},
) {
  const { webhooks = [webhook()], heartbeat, answer = () => 200 } = options;
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: START });
  const calls: Call[] = [];
  const logs: string[] = [];
  const config: Config["alerts"] = { webhooks, heartbeat: heartbeat === undefined ? {} : { url: heartbeat } };
  const fetcher = async (input: unknown, { method, body, signal }: RequestInit = {}) => {
    const url = String(input);
    const alert = typeof body === "string" && body.startsWith("{") ? JSON.parse(body) : undefined;
    calls.push({ at: Date.now() - START, url, method, alert });
    const given = answer(url, calls.length);
    if (given instanceof Error) throw given;
    if (typeof given === "number") return new Response(null, { status: given });
    const aborted = new Promise<never>((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
    return await Promise.race([given, aborted]);
  };
  const alerts = new Alerts({
    config: () => config,
    fetch: fetcher as typeof fetch,
    clock: { now: Date.now, wall: Date.now },
    log: (line) => logs.push(line),
  });
  await settled();
  /** Lets time pass, with a moment for what each timer starts. */
  const pass = async (ms: number, step = 500) => {
    await settled();
    for (let left = ms; left > 0; left -= step) {
      t.mock.timers.tick(Math.min(step, left));
      await settled();
    }
  };
  const times = () => calls.map(({ at }) => at);
  const told = () => calls.map(({ alert }) => `${alert.event}: ${alert.title}`);
  return { alerts, calls, logs, config, pass, times, told };
}

/** Everything that needs no time has happened. */
async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await setImmediate();
}

describe("an incident", () => {
  test("is told when it begins and when it is over", async (t) => {
    const { alerts, calls } = await rig(t);
    alerts.incident("opened", GATEWAY);
    alerts.incident("closed", CLOSED);
    await settled();
    assert.deepEqual(
      calls.map(({ method, url, alert }) => ({ method, url, alert })),
      [
        {
          method: "POST",
          url: URL_A,
          alert: {
            source: "clawkit",
            event: "incident-opened",
            title: "The gateway is down",
            text: "a person or program killed it (SIGKILL) (killed-by-signal), since 2026-11-22T10:00:00.000Z. Ask: clawkit why i-1",
            incident: GATEWAY,
          },
        },
        {
          method: "POST",
          url: URL_A,
          alert: {
            source: "clawkit",
            event: "incident-closed",
            title: "The gateway is back",
            text: "a person or program killed it (SIGKILL) (killed-by-signal). It lasted 1.5 s; 12 connections were affected. Ask: clawkit why i-1",
            incident: CLOSED,
          },
        },
      ],
    );
  });

  test("of clients, and of the supervisor, is told in their words", async (t) => {
    const { alerts, told } = await rig(t);
    alerts.incident("opened", { ...GATEWAY, role: "clients" });
    alerts.incident("closed", { ...CLOSED, role: "clients" });
    alerts.incident("closed", { ...CLOSED, role: "supervisor" });
    await settled();
    assert.deepEqual(told(), [
      "incident-opened: Clients are disconnected",
      "incident-closed: Clients are no longer disconnected",
      "incident-closed: The supervisor is back",
    ]);
  });

  test("goes to every receiver that the config names at that moment", async (t) => {
    const { alerts, calls, config } = await rig(t, { webhooks: [] });
    alerts.incident("opened", GATEWAY);
    await settled();
    config.webhooks.push(webhook(URL_A), webhook(URL_B));
    alerts.incident("closed", CLOSED);
    await settled();
    assert.deepEqual(
      calls.map(({ url }) => url),
      [URL_A, URL_B],
    );
  });

  test("that ends before it began, by a clock that was set, lasted 0 s", async (t) => {
    const { alerts, calls } = await rig(t);
    alerts.incident("closed", { ...CLOSED, closedAt: "2026-11-22T09:00:00.000Z" });
    await settled();
    assert.match(calls[0]!.alert.text, /It lasted 0\.0 s/);
  });
});

describe("the edge", () => {
  test("is told of by its supervisor: one pair with one id, however often it ends", async (t) => {
    const { alerts, calls, told, pass } = await rig(t);
    alerts.edgeLost("killed by SIGKILL", 3);
    await pass(1_000);
    alerts.edgeLost("exited with code 1", 4);
    await pass(1_000);
    alerts.edgeBack();
    await settled();
    assert.deepEqual(told(), ["incident-opened: The edge is down", "incident-closed: The edge is back"]);
    const [opened, closed] = calls.map(({ alert }) => alert.incident!);
    assert.deepEqual(opened, {
      id: opened!.id,
      role: "edge",
      cause: "edge-ended",
      verdict: "confirmed",
      summary: "killed by SIGKILL",
      openedAt: "2026-11-22T10:00:00.000Z",
      closedAt: null,
      clients: 0,
    });
    assert.deepEqual(closed, { ...opened, closedAt: "2026-11-22T10:00:02.000Z" });
    assert.match(calls[1]!.alert.text, /It lasted 2\.0 s/);
  });

  test("is told of again when it ends again, with another id", async (t) => {
    const { alerts, calls } = await rig(t);
    for (const generation of [1, 2]) {
      alerts.edgeLost("killed by SIGKILL", generation);
      alerts.edgeBack();
    }
    await settled();
    const ids = calls.map(({ alert }) => alert.incident!.id);
    assert.equal(ids.length, 4);
    assert.deepEqual([ids[0] === ids[1], ids[2] === ids[3], ids[0] === ids[2]], [true, true, false]);
  });

  test("that listens for the first time was not lost", async (t) => {
    const { alerts, calls } = await rig(t);
    alerts.edgeBack();
    await settled();
    assert.deepEqual(calls, []);
  });

  test("is not told of a second time by the flight recorder, which reads of it later", async (t) => {
    const { alerts, calls } = await rig(t);
    alerts.incident("opened", { ...GATEWAY, role: "edge" });
    alerts.incident("closed", { ...CLOSED, role: "edge" });
    await settled();
    assert.deepEqual(calls, []);
  });
});

describe("a message that is not taken", () => {
  test("is sent again after 1 s, 5 s, 30 s, 2 min and 10 min, and then given up", async (t) => {
    const { alerts, times, logs, pass } = await rig(t, { answer: () => 503 });
    alerts.incident("opened", GATEWAY);
    await pass(60 * MINUTE);
    assert.deepEqual(times(), [0, 1_000, 6_000, 36_000, 156_000, 756_000]);
    assert.deepEqual(logs, [
      "alert to hooks.test:8443 failed: HTTP 503; trying again in 1 s",
      "alert to hooks.test:8443 failed: HTTP 503; trying again in 5 s",
      "alert to hooks.test:8443 failed: HTTP 503; trying again in 30 s",
      "alert to hooks.test:8443 failed: HTTP 503; trying again in 120 s",
      "alert to hooks.test:8443 failed: HTTP 503; trying again in 600 s",
      "alert to hooks.test:8443 failed: HTTP 503; given up",
    ]);
  });

  test("is sent no more once it is taken", async (t) => {
    const { alerts, times, pass } = await rig(t, { answer: (_, count) => (count < 3 ? 500 : 204) });
    alerts.incident("opened", GATEWAY);
    await pass(60 * MINUTE);
    assert.deepEqual(times(), [0, 1_000, 6_000]);
  });

  for (const status of [400, 401, 403, 404, 410, 413, 422]) {
    test(`is not sent again when it was refused with ${status}: it would be again`, async (t) => {
      const { alerts, times, logs, pass } = await rig(t, { answer: () => status });
      alerts.incident("opened", GATEWAY);
      await pass(MINUTE);
      assert.deepEqual(times(), [0]);
      assert.deepEqual(logs, [`alert to hooks.test:8443 failed: HTTP ${status}; given up`]);
    });
  }

  for (const answer of [408, 429, 500, 502, 504]) {
    test(`is sent again after ${answer}`, async (t) => {
      const { alerts, times, pass } = await rig(t, { answer: (_, count) => (count === 1 ? answer : 200) });
      alerts.incident("opened", GATEWAY);
      await pass(MINUTE);
      assert.deepEqual(times(), [0, 1_000]);
    });
  }

  for (const [error, told] of [
    [Object.assign(new TypeError("fetch failed"), { cause: { code: "ECONNREFUSED" } }), "ECONNREFUSED"],
    [Object.assign(new TypeError("fetch failed"), { cause: { code: "ENOTFOUND" } }), "ENOTFOUND"],
    [new DOMException("The operation was aborted due to timeout", "TimeoutError"), "no answer within 10 s"],
    [new TypeError(`Failed to parse URL from ${URL_A}`), "TypeError"],
  ] as const) {
    test(`is sent again when there is no answer: ${told}`, async (t) => {
      const { alerts, times, logs, pass } = await rig(t, {
        answer: (_, count) => (count === 1 ? error : 200),
      });
      alerts.incident("opened", GATEWAY);
      await pass(MINUTE);
      assert.deepEqual(times(), [0, 1_000]);
      assert.deepEqual(logs, [`alert to hooks.test:8443 failed: ${told}; trying again in 1 s`]);
    });
  }

  test("does not hold up another receiver", async (t) => {
    const { alerts, calls, pass } = await rig(t, {
      webhooks: [webhook(URL_A), webhook(URL_B)],
      answer: (url) => (url === URL_A ? 503 : 200),
    });
    alerts.incident("opened", GATEWAY);
    alerts.incident("closed", CLOSED);
    await pass(500);
    assert.equal(calls.filter(({ url }) => url === URL_B).length, 2);
  });

  // The receiver is away for 3 s. What it is told last is what its readers believe.
  test("does not arrive after the one that says it is over", async (t) => {
    const { alerts, calls, pass } = await rig(t, { answer: () => (Date.now() < START + 3_000 ? 503 : 200) });
    alerts.incident("opened", GATEWAY);
    await pass(4_000);
    alerts.incident("closed", CLOSED);
    await pass(MINUTE);
    const taken = calls.filter(({ at }) => at >= 3_000).map(({ alert }) => alert.event);
    assert.deepEqual(taken, ["incident-opened", "incident-closed"]);
  });
});

describe("a gateway that crashes all night", () => {
  const crash = async ({ alerts, pass }: Awaited<ReturnType<typeof rig>>, times: number) => {
    for (let i = 0; i < times; i++) {
      alerts.incident("opened", { ...GATEWAY, id: `i-${i}` });
      await pass(100);
    }
  };
  const heldBack = (calls: readonly Call[]) =>
    calls.map(({ alert }) => /\((\d+) further messages were held back\)/.exec(alert.text)?.[1] ?? "");

  test("rings 20 times in 10 minutes, and the next message says how many were held back", async (t) => {
    const night = await rig(t);
    const { calls, logs, pass } = night;
    await crash(night, 27);
    assert.equal(calls.length, 20);
    assert.deepEqual(logs, ["alerts are held back: 20 within 10 minutes"]);
    await pass(10 * MINUTE, 10_000);
    await crash(night, 2);
    assert.equal(calls.length, 22);
    assert.deepEqual(heldBack(calls), [...Array(20).fill(""), "7", ""]);
  });

  test("rings again as soon as the first of the 20 is 10 minutes old, not before", async (t) => {
    const night = await rig(t);
    await crash(night, 20);
    await night.pass(10 * MINUTE - 2_000 - 200);
    await crash(night, 1);
    assert.equal(night.calls.length, 20);
    await night.pass(200);
    await crash(night, 1);
    assert.equal(night.calls.length, 21);
    assert.deepEqual(heldBack(night.calls).at(-1), "1");
  });

  test("says how many were held back also in a message that has to be sent twice", async (t) => {
    let isAway = false;
    const night = await rig(t, { answer: () => (isAway ? 503 : 200) });
    await crash(night, 23);
    await night.pass(10 * MINUTE, 10_000);
    isAway = true;
    night.alerts.incident("opened", GATEWAY);
    await settled();
    isAway = false;
    await night.pass(1_000);
    assert.deepEqual(heldBack(night.calls).slice(20), ["3", "3"]);
  });

  test("rings 20 times at each receiver", async (t) => {
    const night = await rig(t, { webhooks: [webhook(URL_A), webhook(URL_B)] });
    await crash(night, 25);
    for (const url of [URL_A, URL_B]) assert.equal(night.calls.filter((call) => call.url === url).length, 20);
  });

  // The first 20 are on their way when the others are held back.
  test("says how many were held back when all of it happened at once", async (t) => {
    const night = await rig(t);
    for (let i = 0; i < 25; i++) night.alerts.incident("opened", { ...GATEWAY, id: `i-${i}` });
    await night.pass(10 * MINUTE, 10_000);
    await crash(night, 1);
    assert.equal(night.calls.length, 21);
    assert.equal(heldBack(night.calls).at(-1), "5");
  });
});

describe("the heartbeat", () => {
  test("is called at once, and then every minute", async (t) => {
    const { calls, times, pass } = await rig(t, { heartbeat: URL_BEAT });
    await pass(3 * MINUTE);
    assert.deepEqual(times(), [0, MINUTE, 2 * MINUTE, 3 * MINUTE]);
    assert.deepEqual(
      new Set(calls.map(({ url, method }) => `${method ?? "GET"} ${url}`)),
      new Set([`GET ${URL_BEAT}`]),
    );
  });

  test("follows the config: it may be named, or taken away, while it runs", async (t) => {
    const { config, times, pass } = await rig(t);
    await pass(MINUTE);
    Object.assign(config, { heartbeat: { url: URL_BEAT } });
    await pass(MINUTE);
    Object.assign(config, { heartbeat: {} });
    await pass(3 * MINUTE);
    assert.deepEqual(times(), [2 * MINUTE]);
  });

  test("that fails is logged, and goes on", async (t) => {
    const answers: Answer[] = [500, new TypeError(`Failed to parse URL from ${URL_BEAT}`), 200];
    const { logs, times, pass } = await rig(t, {
      heartbeat: URL_BEAT,
      answer: (_, count) => answers[count - 1]!,
    });
    await pass(2 * MINUTE);
    assert.equal(times().length, 3);
    assert.deepEqual(logs, ["the heartbeat's receiver answered HTTP 500", "the heartbeat could not be sent"]);
  });

  test("ends with the alerts", async (t) => {
    const { alerts, times, pass } = await rig(t, { heartbeat: URL_BEAT });
    await alerts.stop();
    await pass(5 * MINUTE);
    assert.deepEqual(times(), [0]);
  });
});

describe("stop", () => {
  /** Whether it was over after so many milliseconds. */
  const stopping = (alerts: Alerts) => {
    const state = { isOver: false };
    void alerts.stop().then(() => {
      state.isOver = true;
    });
    return state;
  };

  test("is over at once when nothing is on its way", async (t) => {
    const { alerts } = await rig(t);
    alerts.incident("opened", GATEWAY);
    await settled();
    const stop = stopping(alerts);
    await settled();
    assert.equal(stop.isOver, true);
  });

  test("lets what is on its way arrive, and is over when it did", async (t) => {
    const answer = Promise.withResolvers<Response>();
    const { alerts, pass } = await rig(t, { answer: () => answer.promise });
    alerts.incident("opened", GATEWAY);
    const stop = stopping(alerts);
    await pass(1_000);
    assert.equal(stop.isOver, false);
    answer.resolve(new Response(""));
    await settled();
    assert.equal(stop.isOver, true);
  });

  test("lets a message be sent again within 2 s, and then gives it up", async (t) => {
    const { alerts, times, pass } = await rig(t, { answer: () => 503 });
    alerts.incident("opened", GATEWAY);
    await settled();
    const stop = stopping(alerts);
    await pass(1_500);
    assert.deepEqual([times(), stop.isOver], [[0, 1_000], false]);
    await pass(500);
    assert.equal(stop.isOver, true);
    await pass(60 * MINUTE, MINUTE);
    assert.deepEqual(times(), [0, 1_000]);
  });

  // `gateway stop` would wait for as long as a receiver takes to say nothing.
  test("is over after 2 s when the receiver takes the message and does not answer", async (t) => {
    const { alerts, pass } = await rig(t, { answer: () => new Promise<Response>(() => undefined) });
    alerts.incident("opened", GATEWAY);
    const stop = stopping(alerts);
    await pass(2_500);
    assert.equal(stop.isOver, true);
  });
});

test("what is secret of a URL stands in no log line, whatever fails", async (t) => {
  const failures: Answer[] = [
    404,
    503,
    new TypeError(`Failed to parse URL from ${URL_A}`),
    Object.assign(new TypeError(URL_A), { cause: Object.assign(new Error(URL_A), { code: "ECONNRESET" }) }),
    new DOMException(URL_A, "TimeoutError"),
  ];
  const { alerts, logs, pass } = await rig(t, {
    webhooks: [webhook(URL_A), webhook(URL_B)],
    heartbeat: URL_BEAT,
    answer: (_, count) => failures[count % failures.length]!,
  });
  for (let i = 0; i < 30; i++) alerts.incident("opened", GATEWAY);
  await pass(15 * MINUTE, 5_000);
  const stopped = alerts.stop();
  await pass(3_000, 1_000);
  await stopped;
  assert.ok(logs.length > 20);
  for (const line of logs) assert.doesNotMatch(line, /SECRET|https?:|services/);
});

test("a URL that is none is a log line, not the end of the supervisor", async (t) => {
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown) => unhandled.push(error);
  process.on("unhandledRejection", onUnhandled);
  t.after(() => process.off("unhandledRejection", onUnhandled));
  const failure = new TypeError("Failed to parse URL");
  const { alerts, logs } = await rig(t, { webhooks: [webhook("https://")], answer: () => failure });
  alerts.incident("opened", GATEWAY);
  await settled();
  assert.deepEqual(unhandled, []);
  assert.equal(logs.length, 1);
});

describe("what goes over the wire", () => {
  const ALERT: Alert = {
    event: "incident-opened",
    title: "Das Gateway ist für\nimmer weg\r\nX-Injected: 1 – 死",
    text: "Zeile 1\nZeile 2: größe €",
    incident: GATEWAY,
  };

  test("json: the incident, as it is", async (t) => {
    const { headers, body } = await received(t, "json", ALERT);
    assert.equal(headers["content-type"], "application/json");
    assert.deepEqual(JSON.parse(body), { source: "clawkit", ...ALERT });
  });

  test("slack: a text with a bold first line", async (t) => {
    const { headers, body } = await received(t, "slack", ALERT);
    assert.equal(headers["content-type"], "application/json");
    assert.deepEqual(JSON.parse(body), { text: `*${ALERT.title}*\n${ALERT.text}` });
  });

  test("ntfy: the text as the body; the title, with umlauts and line ends, as one RFC 2047 word", async (t) => {
    const { headers, body } = await received(t, "ntfy", ALERT);
    assert.equal(body, ALERT.text);
    assert.equal(headers["x-injected"], undefined);
    assert.equal(decodeWord(headers.title as string), ALERT.title);
    assert.deepEqual([headers.priority, headers.tags], ["high", "rotating_light"]);
  });

  test("ntfy: what is over, and a test, is no alarm", async (t) => {
    for (const event of ["incident-closed", "test"] as const) {
      const { headers } = await received(t, "ntfy", { ...ALERT, event });
      assert.deepEqual([headers.priority, headers.tags], ["default", "white_check_mark"], event);
    }
  });
});

interface Received {
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** What a real receiver gets of an alert. */
async function received(t: TestContext, format: Webhook["format"], alert: Alert): Promise<Received> {
  const got = Promise.withResolvers<Received>();
  const server = http.createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      response.writeHead(200).end("thanks");
      got.resolve({ headers: request.headers, body });
    });
  });
  t.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const delivery = await sendAlert({ url: `http://127.0.0.1:${port}/hook`, format: format! }, alert, {
    fetch,
  });
  assert.deepEqual(delivery, { kind: "delivered", status: 200 });
  return await got.promise;
}

function decodeWord(word: string): string {
  const [, base64] = /^=\?UTF-8\?B\?([A-Za-z0-9+/=]*)\?=$/.exec(word)!;
  return Buffer.from(base64!, "base64").toString();
}
