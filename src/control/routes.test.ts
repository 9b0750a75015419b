import assert from "node:assert/strict";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { afterAnOutage, INCIDENT, NOW, sampleAt } from "../../test/helpers/after-an-outage.ts";
import { until } from "../../test/helpers/clawkit.ts";
import { ControlRig, TOKEN } from "../../test/helpers/control-rig.ts";
import { ask, bodyOf, open } from "../../test/helpers/http.ts";
import { VERSION } from "../core/version.ts";
import type * as Contract from "./contract.ts";

const RUN = {
  role: "gateway",
  pid: 3,
  bootId: "b",
  command: "node",
  configHash: null,
  code: null,
  signal: null,
  peakRssBytes: null,
  peakHeapBytes: null,
  lastLines: [],
  crash: null,
} as const;

describe("overview", () => {
  it("says how it is in a sentence, with what it rests on", async () => {
    await using rig = await afterAnOutage();
    const headers = await rig.signedIn();
    const { json } = await rig.api<Contract.Overview>("/overview?hours=1", { headers });
    assert.equal(
      json.sentence,
      "Healthy for 58800 ms. 1 short outage this week, 1200 ms, 1 client was disconnected.",
    );
    assert.deepEqual(
      json.disconnects.map(({ cause, count }) => [cause, count]),
      [["gateway-ended", 1]],
    );
    assert.deepEqual(
      json.incidents.map(({ id, connections }) => [id, connections]),
      [["i-1", 1]],
    );
  });

  it("a start is no first one because the life before it began before the time that is asked for", async () => {
    await using rig = await afterAnOutage();
    const life = { ...RUN, readyAt: null, endedAt: null, endedBy: null, exit: null };
    rig.store.saveRun({ ...life, key: "1", generation: 1, startedAt: NOW - 86_400_000, endedBy: "operator" });
    rig.store.saveRun({ ...life, key: "2", generation: 2, startedAt: NOW - 58_800 });
    const { json } = await rig.api<Contract.Overview>("/overview?hours=1", { headers: await rig.signedIn() });
    assert.deepEqual(
      json.restarts.map(({ generation, after }) => [generation, after?.isPlanned]),
      [[2, true]],
    );
  });

  it("has an incident that lasts, whenever it began", async () => {
    await using rig = await afterAnOutage();
    rig.store.saveIncident({ ...INCIDENT, id: "i-0", openedAt: NOW - 86_400_000, closedAt: null });
    rig.store.saveIncident({
      ...INCIDENT,
      id: "i-x",
      openedAt: NOW - 86_400_000,
      closedAt: NOW - 80_000_000,
    });
    const { json } = await rig.api<Contract.Overview>("/overview?hours=1", { headers: await rig.signedIn() });
    assert.deepEqual(
      json.incidents.map(({ id }) => id),
      ["i-1", "i-0"],
    );
  });

  it("has the same buckets from look to look", async () => {
    await using rig = await ControlRig.start();
    const headers = await rig.signedIn();
    const fromOf = async () =>
      (await rig.api<Contract.Overview>("/overview?hours=24", { headers })).json.from;
    const from = await fromOf();
    rig.time.wall += 10_000;
    assert.equal(await fromOf(), from);
  });

  it("has at most 300 samples, and keeps the worst of each bucket", async () => {
    await using rig = await ControlRig.start();
    for (let i = 0; i < 8_640; i++) rig.store.addSample(sampleAt(NOW - i * 10_000, i === 4_000 ? 900 : 1));
    const { json } = await rig.api<Contract.Overview>("/overview", { headers: await rig.signedIn() });
    assert.ok(json.samples.length <= 301 && json.samples.length > 290, `${json.samples.length}`);
    assert.equal(Math.max(...json.samples.map(({ loopP99Ms }) => loopP99Ms)), 900);
  });

  for (const hours of ["0", "721", "1e3", "x", "-1"]) {
    it(`refuses hours=${hours}`, async () => {
      await using rig = await ControlRig.start();
      const answer = await rig.api(`/overview?hours=${hours}`, { headers: await rig.signedIn() });
      assert.deepEqual([answer.status, answer.json.error.code], [400, "BAD_REQUEST"]);
    });
  }
});

describe("incidents", () => {
  it("one has exits, notes, closes and lines on one axis", async () => {
    await using rig = await afterAnOutage();
    const { json } = await rig.api<Contract.IncidentDetail>("/incidents/i-1", {
      headers: await rig.signedIn(),
    });
    assert.match(json.told.headline, /The gateway was away for 1200 ms/);
    assert.deepEqual(
      json.timeline.map(({ kind, text }) => `${kind}: ${text}`),
      ["note: memory is low", "log: last words", 'close: 192.0.2.7: 1012 "gateway restarting"', "log: ended"],
    );
  });

  it("one is exported as a file for a report, without secrets and without whose home it is", async () => {
    await using rig = await afterAnOutage();
    rig.store.addNote({ at: NOW - 65_000, kind: "config-changed", text: `/home/u/.clawkit: ${TOKEN}` });
    const headers = await rig.signedIn();
    const {
      headers: sent,
      json,
      body,
    } = await rig.api<Contract.IncidentExport>("/incidents/i-1/export", {
      headers,
    });
    assert.equal(sent["content-disposition"], 'attachment; filename="incident-i-1.json"');
    const { version, platform, exportedAt, ...detail } = json;
    assert.deepEqual([version, platform, exportedAt], [VERSION, "linux", NOW]);
    const shown = (await rig.api("/incidents/i-1", { headers })).body.toString();
    assert.deepEqual(detail, JSON.parse(shown.replaceAll(TOKEN, "[redacted]").replaceAll("/home/u", "~")));
    assert.match(body.toString(), /~\/\.clawkit: \[redacted\]/);
    assert.doesNotMatch(body.toString(), new RegExp(`${TOKEN}|/home/u`));
  });

  it("an unknown one has no file", async () => {
    await using rig = await ControlRig.start();
    const answer = await rig.api("/incidents/nope/export", { headers: await rig.signedIn() });
    assert.deepEqual([answer.status, answer.headers["content-disposition"]], [404, undefined]);
  });

  it("a long one with many lines keeps those before it began", async () => {
    await using rig = await afterAnOutage();
    rig.store.saveIncident({ ...INCIDENT, closedAt: null });
    const path = join(rig.stateDir, "logs", "gateway.log");
    const noise = Array.from(
      { length: 1_000 },
      (_, index) => `${new Date(NOW - 50_000 + index).toISOString()} out still trying ${index}\n`,
    );
    await appendFile(path, noise.join(""));
    const { json } = await rig.api<Contract.IncidentDetail>("/incidents/i-1", {
      headers: await rig.signedIn(),
    });
    const lines = json.timeline.filter(({ kind }) => kind === "log").map(({ text }) => text);
    assert.deepEqual([lines[0], lines[1], lines.at(-1)], ["last words", "ended", "still trying 999"]);
    assert.equal(lines.length, 102);
  });

  it("an unknown one is a 404 with a sentence", async () => {
    await using rig = await ControlRig.start();
    const answer = await rig.api("/incidents/nope", { headers: await rig.signedIn() });
    assert.deepEqual([answer.status, answer.json.error.message], [404, "No incident nope is recorded"]);
  });
});

describe("connections", () => {
  it("open ones are asked of the edge", async () => {
    await using rig = await ControlRig.start();
    const path = "/connections?q=web&sort=idle&order=asc&offset=50&limit=10";
    await rig.api(path, { headers: await rig.signedIn() });
    assert.deepEqual(rig.asked, [
      { kind: "links", text: "web", sort: "idle", isDescending: false, offset: 50, limit: 10 },
    ]);
  });

  it("closed ones come from the recorder", async () => {
    await using rig = await afterAnOutage();
    const headers = await rig.signedIn();
    const { json } = await rig.api<Contract.ConnectionsPage>("/connections?state=closed", { headers });
    assert.deepEqual([json.total, json.state === "closed" && json.connections[0]?.id], [1, "e-9"]);
  });

  it("one has its story and its incident", async () => {
    await using rig = await afterAnOutage();
    const { json } = await rig.api<Contract.ConnectionDetail>("/connections/e-9", {
      headers: await rig.signedIn(),
    });
    assert.match(json.told.headline, /ended by the gateway with 1012/);
    assert.equal(json.incident?.id, "i-1");
  });

  it("closing one is recorded with who did it", async () => {
    await using rig = await ControlRig.start();
    const headers = await rig.signedIn();
    const close = (id: string) =>
      rig.api(`/connections/${id}/close`, { method: "POST", json: { reason: "tidy" }, headers });
    assert.deepEqual([(await close("e-1")).status, (await close("e-2")).status], [200, 404]);
    const notes = rig.asked.flatMap((asked) => (asked.kind === "note" ? [asked.note] : []));
    assert.equal(notes.length, 1);
    assert.match(
      notes[0]!.text,
      /^closed connection e-1: "tidy" \(console session [0-9a-f]{8}, signed in with a one-time code, from 127\.0\.0\.1\)$/,
    );
  });
});

describe("the doctor", () => {
  const REPORT = { ok: true, verdict: "healthy", causes: [], facts: [], notLooked: [], checksRun: 2 };

  it("tells how far it is, then the result, which is kept", async () => {
    await using rig = await afterAnOutage(async (args, { onProgress }) => {
      onProgress?.("1 of 2: the port");
      return { exitCode: 0, stdout: JSON.stringify({ ...REPORT, args }), stderr: "" };
    });
    const headers = await rig.signedIn();
    const { body, headers: sent } = await ask(rig.port, "/__clawkit__/api/v1/doctor", {
      method: "POST",
      headers: { ...headers, Host: `127.0.0.1:${rig.port}` },
    });
    assert.equal(sent["content-type"], "text/event-stream; charset=utf-8");
    assert.match(
      body.toString(),
      /^event: result\ndata: \{"ok":true,.*"args":\["doctor","--verbose","--json"\]/m,
    );
    const { json } = await rig.api<Contract.LastDoctor>("/doctor", { headers });
    assert.deepEqual([json.last?.report.verdict, json.isRunning], ["healthy", false]);
  });

  it("runs once for all who ask, and refuses a repair meanwhile", async () => {
    const release = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    let runs = 0;
    await using rig = await afterAnOutage(async () => {
      runs++;
      started.resolve();
      await release.promise;
      return { exitCode: 0, stdout: JSON.stringify(REPORT), stderr: "" };
    });
    const headers = { ...(await rig.signedIn()), Host: `127.0.0.1:${rig.port}` };
    const path = "/__clawkit__/api/v1/doctor";
    const two = [1, 2].map(() => ask(rig.port, path, { method: "POST", headers }));
    await started.promise;
    const fix = await rig.api("/doctor/fix", { method: "POST", json: { ids: ["start"] }, headers });
    assert.deepEqual([fix.status, fix.json.error.code], [409, "BUSY"]);
    release.resolve();
    for (const { body } of await Promise.all(two)) assert.match(body.toString(), /event: result/);
    assert.equal(runs, 1);
  });

  it("makes the repairs that were named, never all, and records them", async () => {
    const seen: string[][] = [];
    await using rig = await afterAnOutage(async (args) => {
      seen.push([...args]);
      const repairs = [{ id: "start", outcome: "applied", ledgerId: "r-1-a" }];
      return { exitCode: 0, stdout: JSON.stringify({ ...REPORT, repairs }), stderr: "" };
    });
    const headers = { ...(await rig.signedIn()), Host: `127.0.0.1:${rig.port}` };
    const fix = (json: object) =>
      ask(rig.port, "/__clawkit__/api/v1/doctor/fix", {
        method: "POST",
        headers: { ...headers, "Content-Type": "application/json" },
        body: JSON.stringify(json),
      });
    assert.equal((await fix({ ids: [] })).status, 400);
    assert.equal((await fix({ ids: ["--yes; rm"] })).status, 400);
    await fix({ ids: ["start"] });
    await fix({ ids: [], dryRun: true });
    assert.deepEqual(seen, [
      ["doctor", "--fix", "start", "--yes", "--json"],
      ["doctor", "--fix", "--dry-run", "--json"],
    ]);
    assert.match(rig.logged.join("\n"), /repair start: applied, undo with r-1-a \(console session/);
  });
});

describe("explain", () => {
  it("quotes the lines that decided", async () => {
    const causes = [{ id: "oom", evidence: [{ id: "x", detail: "", source: "line 2" }], verdict: "likely" }];
    const stdout = JSON.stringify({ schemaVersion: 1, verdict: "likely", causes });
    await using rig = await afterAnOutage(async () => ({ exitCode: 0, stdout, stderr: "" }));
    const answer = await ask(rig.port, "/__clawkit__/api/v1/explain", {
      method: "POST",
      headers: { ...(await rig.signedIn()), Host: `127.0.0.1:${rig.port}` },
      body: "one\nheap out of memory\r\nthree",
    });
    const { lines } = JSON.parse(answer.body.toString()) as Contract.Explained;
    assert.deepEqual(lines, [{ number: 2, text: "heap out of memory", causes: ["oom"] }]);
  });
});

describe("texts at once", () => {
  it("three are read; a fourth is refused before it is", async () => {
    const release = Promise.withResolvers<void>();
    const stdout = JSON.stringify({ schemaVersion: 1, verdict: "inconclusive", causes: [] });
    let running = 0;
    await using rig = await afterAnOutage(async () => {
      running++;
      await release.promise;
      return { exitCode: 0, stdout, stderr: "" };
    });
    const headers = { ...(await rig.signedIn()), Host: `127.0.0.1:${rig.port}` };
    const path = "/__clawkit__/api/v1/explain";
    // two wait for their command, one for the end of its body
    const two = [1, 2].map(() => ask(rig.port, path, { method: "POST", headers, body: "x" }));
    await until(() => running === 2);
    const third = open(rig.port, path, { method: "POST", headers });
    third.request.write("x");
    const fourth = await until(async () => {
      const answer = await ask(rig.port, path, { method: "POST", headers });
      return answer.status === 409 ? answer : undefined;
    });
    assert.match(fourth.body.toString(), /Too much is being looked at/);
    release.resolve();
    for (const { status } of await Promise.all(two)) assert.equal(status, 200);
    third.request.end();
    assert.equal((await third.response).statusCode, 200);
  });
});

describe("events", () => {
  it("a tick comes at once, and an incident when it is new", async () => {
    await using rig = await afterAnOutage();
    const headers = { ...(await rig.signedIn()), Host: `127.0.0.1:${rig.port}` };
    const { request, response } = open(rig.port, "/__clawkit__/api/v1/events", { headers });
    request.end();
    const incoming = await response;
    let text = "";
    for await (const chunk of incoming) {
      text += String(chunk);
      if (text.includes("event: tick") && rig.store.incident("i-2") === undefined) {
        rig.store.saveIncident({ ...INCIDENT, id: "i-2", openedAt: NOW, closedAt: null });
      }
      if (text.includes("event: incident")) break;
    }
    assert.match(text, /^event: tick\ndata: \{"at":\d+,"state":"healthy","sentence":"Healthy for/);
    assert.match(text, /event: incident\ndata: \{.*"id":"i-2"/);
    assert.doesNotMatch(text, /event: incident\ndata: \{.*"id":"i-1"/);
  });

  for (const path of ["/events", "/logs/events"]) {
    it(`${path} ends when its reader signs out`, async () => {
      await using rig = await ControlRig.start();
      const headers = { ...(await rig.signedIn()), Host: `127.0.0.1:${rig.port}` };
      const { request, response } = open(rig.port, `/__clawkit__/api/v1${path}`, { headers });
      request.end();
      const incoming = await response;
      assert.equal((await rig.api("/session", { method: "DELETE", headers })).status, 200);
      await bodyOf(incoming);
    });
  }

  it("a reader that does not read is dropped", async () => {
    const told = Promise.withResolvers<void>();
    await using rig = await afterAnOutage(async (_args, { onProgress }) => {
      for (let i = 0; i < 400; i++) {
        onProgress?.("x".repeat(100_000));
        await new Promise((resolve) => setImmediate(resolve));
      }
      told.resolve();
      return { exitCode: 0, stdout: "{}", stderr: "" };
    });
    const headers = { ...(await rig.signedIn()), Host: `127.0.0.1:${rig.port}` };
    const { request, response } = open(rig.port, "/__clawkit__/api/v1/doctor", { method: "POST", headers });
    request.end();
    const incoming = await response; // its body is not read
    await told.promise;
    await assert.rejects(bodyOf(incoming));
  });
});

describe("a server that nobody uses", () => {
  it("says so once its time is over, and not while a console is open", async () => {
    const idle = Promise.withResolvers<void>();
    let isIdle = false;
    const onIdle = () => {
      isIdle = true;
      idle.resolve();
    };
    await using rig = await ControlRig.start({}, { afterMs: 50, onIdle });
    const headers = { ...(await rig.signedIn()), Host: `127.0.0.1:${rig.port}` };
    const { request, response } = open(rig.port, "/__clawkit__/api/v1/events", { headers });
    request.end();
    const incoming = await response;
    incoming.resume();
    rig.time.now += 60_000;
    await new Promise((resolve) => setTimeout(resolve, 100)); // twenty looks: it would have said so
    assert.equal(isIdle, false);
    request.destroy();
    await until(() => {
      rig.time.now += 60_000;
      return isIdle || undefined;
    });
    await idle.promise;
  });
});

describe("pages", () => {
  it("are files of one folder, and paths of the application", async () => {
    await using rig = await ControlRig.start();
    const pages = join(rig.stateDir, "pages");
    await mkdir(join(pages, "assets"), { recursive: true });
    await writeFile(join(pages, "index.html"), "<!doctype html>");
    await writeFile(join(pages, "assets", "app-1a2b.js"), "1");
    await writeFile(join(rig.stateDir, "secret.txt"), "secret");
    const get = (path: string) => ask(rig.port, path, { headers: { Host: `localhost:${rig.port}` } });
    const page = await get("/__clawkit__/incidents/i-1");
    assert.deepEqual([page.status, page.body.toString()], [200, "<!doctype html>"]);
    const script = await get("/__clawkit__/assets/app-1a2b.js");
    assert.equal(script.headers["cache-control"], "max-age=31536000, immutable");
    for (const path of [
      "/__clawkit__/%2e%2e/secret.txt",
      "/__clawkit__/..%2fsecret.txt",
      "/__clawkit__/.env",
      "/__clawkit__/a.exe",
    ]) {
      assert.equal((await get(path)).status, 404, path);
    }
    assert.equal((await get("/")).headers.location, "/__clawkit__/");
  });
});
