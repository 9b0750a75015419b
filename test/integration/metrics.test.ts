import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { program, TestClawkit, until } from "../helpers/clawkit.ts";
import { openClients } from "../helpers/clients.ts";
import { ask } from "../helpers/http.ts";
import { edgeMetrics, OWN_PATH, valueIn } from "../helpers/metrics.ts";

const command = (...args: Parameters<typeof program>) => ({
  gateway: { upstream: { type: "command", command: program(...args) } },
});

/** What a monitor gets at a path. */
async function scrape(clawkit: TestClawkit, path: string) {
  const { status, headers, body } = await ask(clawkit.port, path);
  return { status, type: headers["content-type"] ?? "", text: body.toString() };
}

function assertIsOurs({ status, type, text }: Awaited<ReturnType<typeof scrape>>): void {
  assert.equal(status, 200, text);
  assert.match(type, /^text\/plain; version=0\.0\.4/);
  assert.match(text, /^# TYPE clawkit_connections gauge$/m);
}

/** Polls: what a scrape shows is announced to nobody. */
const untilMetrics = (clawkit: TestClawkit, wanted: (text: string) => boolean) =>
  until(async () => {
    const text = await edgeMetrics(clawkit.port);
    return wanted(text) ? text : undefined;
  });

describe("/metrics", { concurrency: 2, timeout: 240_000 }, () => {
  test("of the built-in gateway is the edge's", async () => {
    await using clawkit = await TestClawkit.run();
    for (const path of ["/metrics", "/metrics?name[]=x", OWN_PATH]) {
      const answer = await scrape(clawkit, path);
      assertIsOurs(answer);
      assert.equal(valueIn(answer.text, "clawkit_gateway_ready"), 1);
    }
  });

  test("of a gateway that speaks WebSocket only is the edge's", async () => {
    await using clawkit = await TestClawkit.run(command("echo"));
    for (const path of ["/metrics", OWN_PATH]) assertIsOurs(await scrape(clawkit, path));
  });

  test("of a gateway with metrics of its own is the gateway's, and ours while it is away", async () => {
    await using clawkit = await TestClawkit.run(command("own-metrics"));
    const own = await scrape(clawkit, "/metrics");
    assert.deepEqual([own.status, own.type], [200, "text/plain; version=0.0.4"]);
    assert.match(own.text, /^app_requests_total 7$/m);
    assert.doesNotMatch(own.text, /clawkit_/);
    assertIsOurs(await scrape(clawkit, OWN_PATH));

    await ask(clawkit.port, "/exit?code=78");
    await clawkit.untilStatus(({ state }) => state === "unhealthy");
    for (const path of ["/metrics", OWN_PATH]) {
      const answer = await scrape(clawkit, path);
      assertIsOurs(answer);
      assert.equal(valueIn(answer.text, "clawkit_gateway_ready"), 0, path);
    }
  });

  test("counts what clients do", async () => {
    await using clawkit = await TestClawkit.run(command("echo"));
    const clients = await openClients(3, clawkit.url);
    await clients[0]!.echo("12345");
    const open = await untilMetrics(clawkit, (text) => valueIn(text, "clawkit_connections") === 3);
    assert.equal(valueIn(open, "clawkit_connections_opened_total"), 3);
    assert.equal(valueIn(open, "clawkit_hold_seconds_count"), 3);
    assert.equal(valueIn(open, "clawkit_connections_closed_total") ?? 0, 0);

    clients[0]!.socket.close(1000);
    clients[1]!.socket.terminate();
    await untilMetrics(clawkit, (text) => valueIn(text, "clawkit_connections_closed_total") === 2);
    const ends = await edgeMetrics(clawkit.port);
    const closed = (labels: string) => valueIn(ends, `clawkit_connections_closed_total{${labels}}`);
    assert.equal(closed('code="1000",cause="client-closed",side="client"'), 1);
    assert.match(
      ends,
      /^clawkit_connections_closed_total\{code="none",cause="client-(vanished|reset)",side="\w+"\} 1$/m,
    );
    assert.equal(valueIn(ends, "clawkit_connections"), 1);
    assert.ok(valueIn(ends, 'clawkit_bytes_total{direction="out"}')! >= 5);
    clients[2]!.socket.terminate();
  });

  test("counts the ends of the gateway by their reason, and how long each outage took", async () => {
    await using clawkit = await TestClawkit.run(command("echo"));
    const { gateway } = await clawkit.status();
    process.kill(gateway.pid!, "SIGKILL");
    const text = await untilMetrics(
      clawkit,
      (now) => valueIn(now, "clawkit_gateway_recovery_seconds_count") === 1,
    );
    assert.equal(valueIn(text, 'clawkit_gateway_ends_total{reason="SIGKILL"}'), 1);
    const seconds = valueIn(text, "clawkit_gateway_recovery_seconds_sum")!;
    assert.ok(seconds > 0 && seconds < 30, `${seconds} s`);
    await clawkit.cli("gateway", "restart");
    const after = await edgeMetrics(clawkit.port);
    assert.equal(valueIn(after, 'clawkit_gateway_ends_total{reason="planned"}'), 1);
    assert.equal(valueIn(after, "clawkit_gateway_ready"), 1);
  });

  test("shows what the flight recorder wrote, and that it has dropped nothing", async () => {
    await using clawkit = await TestClawkit.run(command("echo"));
    const [client] = await openClients(1, clawkit.url);
    const before = valueIn(await edgeMetrics(clawkit.port), "clawkit_recorder_events_total")!;
    client!.socket.close(1000);
    await client!.ended;
    const text = await untilMetrics(
      clawkit,
      (now) =>
        valueIn(now, "clawkit_recorder_events_total")! > before &&
        valueIn(now, "clawkit_recorder_queue_events") === 0,
    );
    assert.equal(valueIn(text, "clawkit_recorder_dropped_events_total"), 0);
  });
});
