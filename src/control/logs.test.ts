import assert from "node:assert/strict";
import { appendFile, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { afterAnOutage, NOW } from "../../test/helpers/after-an-outage.ts";
import { until } from "../../test/helpers/clawkit.ts";
import { ControlRig } from "../../test/helpers/control-rig.ts";
import { open } from "../../test/helpers/http.ts";
import type * as Contract from "./contract.ts";

describe("logs", () => {
  it("are filtered by source, stream, level, text and time", async () => {
    await using rig = await afterAnOutage();
    const headers = await rig.signedIn();
    const texts = async (query: string) =>
      (await rig.api<Contract.LogTail>(`/logs?${query}`, { headers })).json.lines.map(({ text }) => text);
    assert.deepEqual(await texts("limit=2"), ["last words", "ended"]);
    assert.deepEqual(await texts("stream=err"), ["last words"]);
    assert.deepEqual(await texts("q=LONG"), ["long ago"]);
    assert.deepEqual(await texts("source=edge"), []);
    assert.deepEqual(await texts(`after=${new Date(NOW - 60_001).toISOString()}`), ["ended"]);
    assert.deepEqual(await texts("level=warn"), ["last words", "ended"]);
    assert.deepEqual(await texts("level=error"), ["ended"]);
    assert.deepEqual(await texts("level=info"), ["long ago", "last words", "ended"]);
    assert.equal((await rig.api("/logs?level=debug", { headers })).status, 400);
  });
});

/** Follows the logs as a console does; `lines` are all that came so far. */
async function follow(rig: ControlRig, query = "") {
  const headers = { ...(await rig.signedIn()), Host: `127.0.0.1:${rig.port}` };
  const { request, response } = open(rig.port, `/__clawkit__/api/v1/logs/events${query}`, { headers });
  request.end();
  const incoming = await response;
  const events: string[][] = [];
  let rest = "";
  incoming.on("data", (chunk) => {
    const blocks = (rest + String(chunk)).split("\n\n");
    rest = blocks.pop()!;
    for (const block of blocks) {
      const data = /^event: lines\ndata: (.*)$/.exec(block)?.[1];
      if (data === undefined) continue;
      const { lines } = JSON.parse(data) as Contract.LogEvents["lines"];
      events.push(lines.map(({ level, text }) => `${level}: ${text}`));
    }
  });
  incoming.on("error", () => undefined);
  return { status: incoming.statusCode, events, [Symbol.dispose]: () => request.destroy() };
}

describe("logs live", () => {
  const log = (rig: ControlRig) => join(rig.stateDir, "logs", "gateway.log");
  const line = (text: string, stream = "out") => `${new Date(NOW).toISOString()} ${stream} ${text}\n`;

  it("first what GET /logs gives, then what is printed, across rotation", async () => {
    await using rig = await afterAnOutage();
    using reader = await follow(rig, "?limit=2");
    await until(() => reader.events.length === 1);
    assert.deepEqual(reader.events[0], ["warn: last words", "error: ended"]);
    await appendFile(log(rig), line("one") + line("two"));
    await rename(log(rig), `${log(rig)}.1`);
    await writeFile(log(rig), line("three"));
    await appendFile(log(rig), line("Error: four", "err"));
    await until(() => reader.events.flat().length === 6);
    assert.deepEqual(reader.events.slice(1).flat(), [
      "info: one",
      "info: two",
      "info: three",
      "error: Error: four",
    ]);
  });

  it("each console what it asked for, from its own beginning, by one reader", async () => {
    await using rig = await afterAnOutage();
    using first = await follow(rig, "?level=error");
    await until(() => first.events.length === 1);
    await appendFile(log(rig), line("between"));
    using second = await follow(rig, "?q=e&limit=1");
    await until(() => second.events.length === 1);
    assert.deepEqual(second.events, [["info: between"]]);
    await appendFile(log(rig), line("Error: both", "err") + line("one of them"));
    await until(() => first.events.length === 2 && second.events.length === 2);
    assert.deepEqual(first.events, [["error: ended"], ["error: Error: both"]]);
    assert.deepEqual(second.events[1], ["error: Error: both", "info: one of them"]);
  });

  it("has an empty first event where nothing is there yet", async () => {
    await using rig = await ControlRig.start();
    using reader = await follow(rig, "?source=edge");
    await until(() => reader.events.length === 1);
    await mkdir(join(rig.stateDir, "logs"));
    await writeFile(join(rig.stateDir, "logs", "edge.log"), line("first"));
    await until(() => reader.events.length === 2);
    assert.deepEqual(reader.events, [[], ["info: first"]]);
  });

  it("has room for sixteen consoles, and again when one left", async () => {
    await using rig = await afterAnOutage();
    const readers = await Promise.all(Array.from({ length: 16 }, () => follow(rig)));
    const headers = await rig.signedIn();
    const more = await rig.api("/logs/events", { headers });
    assert.deepEqual([more.status, more.json.error.code], [409, "BUSY"]);
    readers[0]![Symbol.dispose]();
    await until(async () => {
      using reader = await follow(rig);
      return reader.status === 200 || undefined;
    });
    for (const reader of readers) reader[Symbol.dispose]();
  });
});
