import assert from "node:assert/strict";
import { hostname } from "node:os";
import { describe, test } from "node:test";
import type { IncidentNews } from "../../src/core/messages.ts";
import type { IncidentRow } from "../../src/recorder/store.ts";
import type { Alert } from "../../src/supervisor/alert-sender.ts";
import { freePort, program, TestClawkit, TOKEN } from "../helpers/clawkit.ts";
import { openClients } from "../helpers/clients.ts";
import { CommandLine } from "../helpers/command-line.ts";
import { Receiver } from "../helpers/receiver.ts";
import { exits, json } from "../helpers/results.ts";

const ECHO = { upstream: { type: "command", command: program("echo") } };

/** Everything of a webhook behind its host is a secret. */
const JSON_PATH = "/json/SECRET-1";
const SLACK_PATH = "/services/SECRET-2?key=SECRET-3";
const NTFY_PATH = "/SECRET-topic";

/** The three formats, each with a path of its own. */
const webhooks = (receiver: Receiver) => [
  { url: receiver.url(JSON_PATH), format: "json" },
  { url: receiver.url(SLACK_PATH), format: "slack" },
  { url: receiver.url(NTFY_PATH), format: "ntfy" },
];

/** An opened and a closed message, in that order: two deliveries may overtake each other. */
async function pairAt(receiver: Receiver): Promise<{ opened: IncidentNews; closed: IncidentNews }> {
  const alerts = (await receiver.untilAt(JSON_PATH, 2)).map(({ body }) => JSON.parse(body) as Alert);
  const of = (event: Alert["event"]) => alerts.find((alert) => alert.event === event)?.incident;
  const [opened, closed] = [of("incident-opened"), of("incident-closed")];
  assert.ok(opened && closed, JSON.stringify(alerts));
  return { opened, closed };
}

async function killEdge(clawkit: TestClawkit): Promise<void> {
  const { edge } = await clawkit.status();
  process.kill(edge.pid!, "SIGKILL");
  await clawkit.untilStatus((status) => status.state === "healthy" && status.edge.pid !== edge.pid);
}

describe("alerts", { concurrency: 2, timeout: 240_000 }, () => {
  test("a gateway killed with -9: every receiver is told once that it began and once that it is over", async () => {
    await using receiver = await Receiver.start();
    await using clawkit = await TestClawkit.run({ gateway: ECHO, alerts: { webhooks: webhooks(receiver) } });
    const clients = await openClients(3, clawkit.url);
    process.kill((await clawkit.status()).gateway.pid!, "SIGKILL");
    await Promise.all(clients.map(({ ended }) => ended));

    const { opened, closed } = await pairAt(receiver);
    const incidents = json<IncidentRow[]>(await exits(0, clawkit.cli("incidents", "--json")));
    assert.deepEqual(
      incidents.map(({ id }) => id),
      [opened.id],
    );
    assert.equal(closed.id, opened.id);
    assert.deepEqual([opened.role, opened.closedAt], ["gateway", null]);
    assert.equal(Date.parse(closed.closedAt!), incidents[0]!.closedAt);
    assert.equal(closed.clients, 3);

    const advice = `clawkit why ${opened.id}`;
    const slack = (await receiver.untilAt(SLACK_PATH, 2)).map(({ body }) => (JSON.parse(body) as Alert).text);
    assert.deepEqual(slack.map((text) => text.split("\n")[0]).sort(), [
      "*The gateway is back*",
      "*The gateway is down*",
    ]);
    const ntfy = (await receiver.untilAt(NTFY_PATH, 2)).map(({ body }) => body);
    for (const text of [...slack, ...ntfy]) assert.ok(text.includes(advice), text);
    assert.match((await exits(0, clawkit.cli("why", opened.id))).stdout, /^The gateway was away for/);
    assert.equal(receiver.messages.length, 6);
  });

  test("an edge killed with -9: its supervisor tells of it, once", async () => {
    await using receiver = await Receiver.start();
    await using clawkit = await TestClawkit.run({ gateway: ECHO, alerts: { webhooks: webhooks(receiver) } });
    await killEdge(clawkit);
    const { opened, closed } = await pairAt(receiver);
    assert.deepEqual(
      [opened.role, opened.cause, opened.summary, opened.closedAt],
      ["edge", "edge-ended", "killed by SIGKILL", null],
    );
    assert.equal(closed.id, opened.id);
    assert.ok(Date.parse(closed.closedAt!) >= Date.parse(opened.openedAt));
    // the flight recorder has read of it by now, and another incident shows what was told of it
    process.kill((await clawkit.status()).gateway.pid!, "SIGKILL");
    const four = (await receiver.untilAt(JSON_PATH, 4)).map(({ body }) => JSON.parse(body) as Alert);
    assert.deepEqual(four.map(({ incident }) => incident!.role).sort(), [
      "edge",
      "edge",
      "gateway",
      "gateway",
    ]);
  });

  test("what the message about an edge says to ask is answered", async () => {
    await using receiver = await Receiver.start();
    await using clawkit = await TestClawkit.run({ gateway: ECHO, alerts: { webhooks: webhooks(receiver) } });
    await killEdge(clawkit);
    const [message] = await receiver.untilAt(JSON_PATH, 1);
    // no id: the edge's end has one only once the next edge lives
    assert.match((JSON.parse(message!.body) as Alert).text, /Ask: clawkit why$/);
    await exits(0, clawkit.cli("why"));
  });

  test("what its operator asks for is no incident", async () => {
    await using receiver = await Receiver.start();
    await using clawkit = await TestClawkit.run({ gateway: ECHO, alerts: { webhooks: webhooks(receiver) } });
    await exits(0, clawkit.cli("gateway", "restart"));
    await exits(0, clawkit.cli("gateway", "restart", "--all"));
    const { gateway } = await clawkit.status();
    process.kill(gateway.pid!, "SIGKILL");
    const { closed } = await pairAt(receiver);
    assert.equal(closed.role, "gateway");
    assert.equal(receiver.at(JSON_PATH).length, 2);
  });

  test("the heartbeat is called once at the start; neither it nor a failing webhook shows its URL in a log", async () => {
    await using receiver = await Receiver.start();
    receiver.answer("/beat/SECRET-4", 500);
    receiver.answer(JSON_PATH, 404);
    await using clawkit = await TestClawkit.run({
      gateway: ECHO,
      alerts: { webhooks: webhooks(receiver), heartbeat: { url: receiver.url("/beat/SECRET-4") } },
    });
    const [beat] = await receiver.untilAt("/beat/SECRET-4", 1);
    assert.deepEqual([beat!.method, beat!.body], ["GET", ""]);
    process.kill((await clawkit.status()).gateway.pid!, "SIGKILL");
    await receiver.untilAt(JSON_PATH, 2);
    await clawkit.untilStatus(({ state }) => state === "healthy");
    assert.equal(receiver.at("/beat/SECRET-4").length, 1);

    const { stdout } = await exits(0, clawkit.cli("logs", "--source", "supervisor"));
    assert.match(stdout, new RegExp(`alert to ${receiver.host} failed: HTTP 404; given up`));
    assert.match(stdout, /the heartbeat's receiver answered HTTP 500/);
    assert.doesNotMatch(stdout, /SECRET/);
    const { stdout: config } = await exits(0, clawkit.cli("config", "get"));
    assert.doesNotMatch(config, /SECRET/);
  });
});

describe("clawkit alerts test", { concurrency: 2, timeout: 240_000 }, () => {
  const withWebhooks = (list: object[]) =>
    CommandLine.create(JSON.stringify({ gateway: { auth: { token: TOKEN } }, alerts: { webhooks: list } }));

  test("sends one message to each, and says who took it", async () => {
    await using receiver = await Receiver.start();
    await using line = await withWebhooks(webhooks(receiver));
    const { stdout, stderr } = await exits(0, line.clawkit("alerts", "test"));
    const { host } = receiver;
    assert.equal(
      stdout,
      ["json", "slack", "ntfy"].map((format) => `${host} (${format}): delivered (HTTP 200)\n`).join(""),
    );
    assert.equal(stderr, "");
    const [message] = receiver.at(JSON_PATH);
    const { event, title, text, incident } = JSON.parse(message!.body) as Alert;
    assert.deepEqual([event, title, incident], ["test", "ClawKit test alert", null]);
    assert.ok(text.includes(hostname()), text);
    assert.deepEqual([receiver.messages.length, receiver.at(NTFY_PATH)[0]!.headers.priority], [3, "default"]);
  });

  test("exits 1 when one of them did not take it, and has no path of a URL in what it prints", async () => {
    await using receiver = await Receiver.start();
    receiver.answer(SLACK_PATH, 403);
    const nobody = `127.0.0.1:${await freePort()}`;
    const list = [...webhooks(receiver), { url: `http://${nobody}/SECRET-5`, format: "json" }];
    await using line = await withWebhooks(list);
    const { stdout, stderr } = await exits(1, line.clawkit("alerts", "test"));
    const { host } = receiver;
    assert.deepEqual(stdout.trimEnd().split("\n"), [
      `${host} (json): delivered (HTTP 200)`,
      `${host} (slack): failed: HTTP 403`,
      `${host} (ntfy): delivered (HTTP 200)`,
      `${nobody} (json): failed: ECONNREFUSED`,
    ]);
    const printed = await exits(1, line.clawkit("alerts", "test", "--json"));
    assert.deepEqual(json(printed), [
      { host, format: "json", kind: "delivered", status: 200 },
      { host, format: "slack", kind: "failed", reason: "HTTP 403", isFinal: true },
      { host, format: "ntfy", kind: "delivered", status: 200 },
      { host: nobody, format: "json", kind: "failed", reason: "ECONNREFUSED", isFinal: false },
    ]);
    assert.doesNotMatch(stdout + stderr + printed.stdout + printed.stderr, /SECRET|services/);
    assert.equal(receiver.messages.length, 6, "nothing is sent twice");
  });

  test("exits 2 when the config names nobody, and says how to", async () => {
    await using line = await withWebhooks([]);
    const { stderr } = await exits(2, line.clawkit("alerts", "test"));
    assert.match(stderr, /alerts\.webhooks is empty: clawkit config set alerts\.webhooks/);
    const { error } = json<{ error: { code: string } }>(
      await exits(2, line.clawkit("alerts", "test", "--json")),
    );
    assert.equal(error.code, "USAGE");
  });

  test("exits 78 with a URL that is none, before anything is sent", async () => {
    await using line = await withWebhooks([{ url: "https://", format: "json" }]);
    await exits(78, line.clawkit("alerts", "test"));
  });
});
