import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import type { ProcessEnd } from "../core/process-end.ts";
import type { ConnectionEnd, Sample } from "../core/records.ts";
import { Metrics } from "./metrics.ts";

const END: ConnectionEnd = {
  at: 0,
  by: "client",
  code: 1000,
  reason: "",
  phase: "closing",
  cause: "client-closed",
  bytesIn: 100,
  bytesOut: 2_000,
  framesIn: 3,
  framesOut: 7,
  lastActivityAt: 0,
  rttMs: null,
};

const KILLED: ProcessEnd = { code: null, signal: "SIGKILL", by: "itself" };
const EXITED: ProcessEnd = { code: 1, signal: null, by: "itself" };
const PLANNED: ProcessEnd = { code: 0, signal: null, by: "operator" };

/** Metrics, and what their gauges read. */
function rig() {
  const now = { connections: 0, held: 0, ready: false, recorder: { queued: 0, written: 0, dropped: 0 } };
  const metrics = new Metrics({
    connections: () => now.connections,
    held: () => now.held,
    gatewayReady: () => now.ready,
    recorder: () => now.recorder,
  });
  return { metrics, now };
}

/** Metrics of which each has counted something. */
function busy() {
  const { metrics, now } = rig();
  Object.assign(now, {
    connections: 5,
    held: 2,
    ready: true,
    recorder: { queued: 1, written: 9, dropped: 4 },
  });
  metrics.opened();
  metrics.served(250);
  metrics.closed(END);
  metrics.gatewayEnded(KILLED);
  metrics.gatewayRecovered(700);
  metrics.rtt(12);
  metrics.sampled({ loopP99Ms: 3 } as Sample);
  return { metrics, now };
}

/** The series of a name, as `{labels}` → value. */
async function series(metrics: Metrics, name: string): Promise<Record<string, number>> {
  const lines = (await metrics.render())
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return Object.fromEntries(
    lines.map((line) => {
      const [, labels, value] = /^\w+(?:\{(.*)\})? (\S+)$/.exec(line)!;
      return [labels ?? "", Number(value)];
    }),
  );
}

const value = async (metrics: Metrics, name: string) => (await series(metrics, name))[""];

describe("names (prometheus.io/docs/practices/naming)", async () => {
  const text = await busy().metrics.render();
  const families = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => ({
    name: name!,
    type: type!,
  }));

  for (const { name, type } of families) {
    test(`${name} is a good name for a ${type}, and has a help text`, () => {
      assert.match(name, /^clawkit_[a-z]+(_[a-z]+)*$/);
      assert.equal(name.endsWith("_total"), type === "counter", "counters, and only they, end in _total");
      assert.doesNotMatch(name, /_(ms|milliseconds|minutes|kb|mb|megabytes)(_|$)/, "base units only");
      if (type === "histogram") assert.match(name, /_(seconds|bytes)$/);
      assert.match(text, new RegExp(`^# HELP ${name} [A-Z0-9].{10,}$`, "m"));
      assert.equal(text.split(`# TYPE ${name} `).length, 2, "it is told once");
    });
  }

  test("promtool finds nothing to say about them", { skip: needsPromtool() }, () => {
    const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
      input: text,
      encoding: "utf8",
    });
    assert.deepEqual({ status, said: stdout + stderr }, { status: 0, said: "" });
  });

  test("the content type is that of the text format", () => {
    assert.match(busy().metrics.contentType, /^text\/plain; version=0\.0\.4/);
  });
});

describe("counters", () => {
  test("of connections count each once, those that ended by code, cause and side", async () => {
    const { metrics } = rig();
    for (let i = 0; i < 5; i++) metrics.opened();
    metrics.closed(END);
    metrics.closed(END);
    metrics.closed({ ...END, by: "network", code: null, cause: "client-vanished" });
    assert.equal(await value(metrics, "clawkit_connections_opened_total"), 5);
    assert.deepEqual(await series(metrics, "clawkit_connections_closed_total"), {
      'code="1000",cause="client-closed",side="client"': 2,
      'code="none",cause="client-vanished",side="network"': 1,
    });
  });

  test("of bytes and frames add up, by direction", async () => {
    const { metrics } = rig();
    metrics.closed(END);
    metrics.closed(END);
    assert.deepEqual(await series(metrics, "clawkit_bytes_total"), {
      'direction="in"': 200,
      'direction="out"': 4_000,
    });
    assert.deepEqual(await series(metrics, "clawkit_frames_total"), {
      'direction="in"': 6,
      'direction="out"': 14,
    });
  });

  test("of the gateway's ends count by their reason", async () => {
    const { metrics } = rig();
    for (const end of [KILLED, PLANNED, KILLED, EXITED]) metrics.gatewayEnded(end);
    const counts = Object.values(await series(metrics, "clawkit_gateway_ends_total")).filter(
      (count) => count > 0,
    );
    assert.deepEqual(counts.sort(), [1, 1, 2]);
    assert.equal((await series(metrics, "clawkit_gateway_ends_total"))['reason="planned"'], 1);
  });

  test("of the recorder show its own numbers, however often they are read", async () => {
    const { metrics, now } = rig();
    now.recorder = { queued: 3, written: 40, dropped: 2 };
    await metrics.render();
    await metrics.render();
    now.recorder = { queued: 0, written: 43, dropped: 2 };
    assert.equal(await value(metrics, "clawkit_recorder_events_total"), 43);
    assert.equal(await value(metrics, "clawkit_recorder_dropped_events_total"), 2);
    assert.equal(await value(metrics, "clawkit_recorder_queue_events"), 0);
  });

  test("without labels are there, at 0, before anything happened: an alert needs their first step", async () => {
    const { metrics } = rig();
    for (const name of ["connections_opened_total", "recorder_events_total", "recorder_dropped_events_total"])
      assert.equal(await value(metrics, `clawkit_${name}`), 0, name);
  });
});

describe("gauges", () => {
  test("show the moment they are read", async () => {
    const { metrics, now } = rig();
    const read = async () => [
      await value(metrics, "clawkit_connections"),
      await value(metrics, "clawkit_held_connections"),
      await value(metrics, "clawkit_gateway_ready"),
    ];
    assert.deepEqual(await read(), [0, 0, 0]);
    Object.assign(now, { connections: 7, held: 2, ready: true });
    assert.deepEqual(await read(), [7, 2, 1]);
    Object.assign(now, { connections: 6, held: 0, ready: false });
    assert.deepEqual(await read(), [6, 0, 0]);
  });
});

describe("histograms", () => {
  for (const [name, observe] of [
    ["hold_seconds", (metrics: Metrics) => metrics.served(250)],
    ["gateway_recovery_seconds", (metrics: Metrics) => metrics.gatewayRecovered(250)],
    ["client_rtt_seconds", (metrics: Metrics) => metrics.rtt(250)],
    ["event_loop_delay_seconds", (metrics: Metrics) => metrics.sampled({ loopP99Ms: 250 } as Sample)],
  ] as const) {
    test(`${name} is in seconds, and counts what it was given`, async () => {
      const { metrics } = rig();
      observe(metrics);
      assert.equal(await value(metrics, `clawkit_${name}_sum`), 0.25);
      assert.equal(await value(metrics, `clawkit_${name}_count`), 1);
      const buckets = await series(metrics, `clawkit_${name}_bucket`);
      assert.deepEqual([buckets['le="0.1"'], buckets['le="0.25"'], buckets['le="+Inf"']], [0, 1, 1]);
    });
  }
});

test("two edges in one process do not share their numbers", async () => {
  const [one, other] = [rig().metrics, rig().metrics];
  one.opened();
  assert.equal(await value(other, "clawkit_connections_opened_total"), 0);
});

function needsPromtool(): string | false {
  return spawnSync("promtool", ["--version"]).error === undefined ? false : "promtool is not installed";
}
