import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { after, before, describe, test } from "node:test";
import { statePaths } from "../../src/config/paths.ts";
import type * as Contract from "../../src/control/contract.ts";
import { parseRunLog, type RunRecord } from "../../src/core/run-record.ts";
import { openToRead } from "../../src/recorder/read-store.ts";
import { program, TestClawkit, until } from "../helpers/clawkit.ts";
import { TestClient } from "../helpers/clients.ts";
import { API, codeOf, get, post, type Signed, signIn, untilEvent, type WayIn } from "../helpers/console.ts";
import { type AskOptions, ask, open } from "../helpers/http.ts";

describe("the console of a running gateway", () => {
  let clawkit: TestClawkit;
  let signed: Signed;

  before(async () => {
    clawkit = await TestClawkit.run({ gateway: { upstream: { type: "command", command: program("echo") } } });
    const wayIn = JSON.parse((await clawkit.cli("console", "--json")).stdout) as WayIn;
    assert.equal(wayIn.servedBy, "edge");
    signed = (await signIn(clawkit.port, { code: codeOf(wayIn) })).headers;
  });
  after(() => clawkit?.[Symbol.asyncDispose]());

  const records = async (role: RunRecord["role"]) =>
    parseRunLog(await clawkit.runLog()).filter((record) => record.role === role);

  test("no token, a wrong one, a foreign Origin, a forged Host, no csrf: refused through the edge too", async () => {
    const { port } = clawkit;
    const status = async (path: string, options: AskOptions) => (await ask(port, API + path, options)).status;
    assert.equal(await status("/overview", {}), 401);
    assert.equal((await signIn(port, { token: "wrong" })).status, 401);
    assert.equal(await status("/overview", { headers: { ...signed, Origin: "https://evil.example" } }), 403);
    assert.equal(await status("/overview", { headers: { ...signed, Host: "evil.example" } }), 403);
    const forged = { ...signed, "X-Clawkit-Peer": "127.0.0.1", "X-Forwarded-For": "127.0.0.1" };
    assert.equal(await status("/overview", { headers: forged }), 403);
    const body = JSON.stringify({ reason: "x" });
    const headers = { Cookie: signed.Cookie!, "Content-Type": "application/json" };
    assert.equal(await status("/connections/x/close", { method: "POST", headers, body }), 403);
    assert.equal(await status("/overview", { headers: signed }), 200);
  });

  test("an open connection is seen and can be closed: the client is told why, the recorder who did it", async () => {
    const client = new TestClient(clawkit.url);
    await client.opened;
    await client.echo("hello");
    const { links } = await get<{ links: { id: string; bytesIn: number }[] }>(
      clawkit.port,
      "/connections",
      signed,
    );
    assert.deepEqual([links.length, links[0]!.bytesIn > 0], [1, true]);
    await ask(clawkit.port, `${API}/connections/${links[0]!.id}/close`, {
      method: "POST",
      headers: { ...signed, "Content-Type": "application/json" },
      body: JSON.stringify({ reason: "tidying up" }),
    });
    const end = await client.ended;
    assert.deepEqual([end.code, end.reason], [1013, "by operator: tidying up"]);
    // the recorder writes in batches
    const row = await until(async () => {
      const page = await get<Contract.ConnectionsPage>(clawkit.port, "/connections?state=closed", signed);
      if (page.state !== "closed") return undefined;
      return page.connections.find(({ id }) => id === links[0]!.id);
    });
    assert.equal(row.end?.cause, "closed-by-operator");
    const { told } = await get<Contract.ConnectionDetail>(clawkit.port, `/connections/${row.id}`, signed);
    assert.equal(
      told.headline,
      `Connection ${row.id} was ended by the edge with 1013 "by operator: tidying up"`,
    );
    const store = openToRead(statePaths(clawkit.stateDir), {
      isRecording: true,
      wall: Date.now(),
      bootId: "",
      maxAgeMs: 1e12,
    });
    const notes = await until(() => {
      const found = store.notes(0, Date.now() + 1_000).filter(({ kind }) => kind === "console-action");
      return found.length > 0 ? found : undefined;
    });
    store.close();
    assert.match(
      notes.at(-1)!.text,
      /^closed connection .* \(console session [0-9a-f]{8}, signed in with a one-time/,
    );
  });

  test("kill -9 of the gateway: the console stays, and tells the incident with its cause", async () => {
    const { request, response } = open(clawkit.port, `${API}/events`, { headers: signed });
    request.end();
    const incoming = await response;
    const client = new TestClient(clawkit.url);
    await client.opened;
    const { gateway } = await clawkit.status();
    const told = untilEvent<Contract.IncidentSummary>(
      incoming,
      (event, data) => event === "incident" && data.cause === "killed-by-signal" && data.closedAt !== null,
    );
    process.kill(gateway.pid!, "SIGKILL");
    const incident = await told;
    request.destroy();
    assert.deepEqual([incident.kind, incident.role, incident.connections], ["outage", "gateway", 1]);
    const detail = await get<Contract.IncidentDetail>(clawkit.port, `/incidents/${incident.id}`, signed);
    const kinds = new Set(detail.timeline.map(({ kind }) => kind));
    for (const kind of ["exit", "start", "ready", "close", "log"] as const) assert.ok(kinds.has(kind), kind);
    const overview = await get<Contract.Overview>(clawkit.port, "/overview", signed);
    assert.match(overview.sentence, /1 short outage this week, .*, 1 client was disconnected\.$/);
    assert.equal(overview.restarts[0]?.after?.cause, "killed-by-signal");
  });

  test("kill -9 of the control process: nothing else notices, it is recorded, and the next request has a new one", async () => {
    const client = new TestClient(clawkit.url);
    await client.opened;
    const before = await clawkit.status();
    const incidents = await get<{ incidents: unknown[] }>(clawkit.port, "/incidents", signed);
    const [start] = (await records("control")).slice(-2);
    process.kill(start!.pid, "SIGKILL");
    const end = await until(async () => (await records("control")).find(({ event }) => event === "cause"));
    assert.equal(end.event === "cause" && end.exit.cause, "killed-by-signal");
    await client.echo("still here");
    const status = await clawkit.status();
    assert.deepEqual(
      [status.gateway.pid, status.edge.pid, status.connections],
      [before.gateway.pid, before.edge.pid, before.connections],
    );
    // its sessions were in its memory
    assert.equal((await ask(clawkit.port, `${API}/overview`, { headers: signed })).status, 401);
    const wayIn = JSON.parse((await clawkit.cli("console", "--json")).stdout) as WayIn;
    signed = (await signIn(clawkit.port, { code: codeOf(wayIn) })).headers;
    const now = await get<{ incidents: unknown[] }>(clawkit.port, "/incidents", signed);
    assert.equal(now.incidents.length, incidents.incidents.length);
  });

  test("kill -9 of the edge: the next one finds the control process, and its session", async () => {
    const { edge } = await clawkit.status();
    process.kill(edge.pid!, "SIGKILL");
    await clawkit.untilStatus((status) => status.state === "healthy" && status.edge.pid !== edge.pid);
    await get(clawkit.port, "/overview", signed);
  });

  test("the doctor runs in a process of its own and tells how far it is", async () => {
    const { request, response } = open(clawkit.port, `${API}/doctor`, { method: "POST", headers: signed });
    request.end();
    let progress = 0;
    const report = await untilEvent<Contract.DoctorReport>(await response, (event) => {
      if (event === "progress") progress++;
      return event === "result";
    });
    assert.ok(report.checksRun > 10 && progress >= report.checksRun, `${progress} of ${report.checksRun}`);
  });

  test("a pasted error is explained, with the line that decided", async () => {
    const { body } = await ask(clawkit.port, `${API}/explain`, {
      method: "POST",
      headers: signed,
      body: "hello\ngateway failed to start: listen EADDRINUSE: address already in use 127.0.0.1:18789\n",
    });
    const explained = JSON.parse(body.toString()) as Contract.Explained;
    assert.equal(explained.causes[0]?.id, "port-conflict");
    assert.ok(explained.lines.some(({ number }) => number === 2));
  });

  test("what helped is told first from then on, where as much speaks for another cause", async () => {
    const reports = readFileSync(new URL("../fixtures/reports/reports.jsonl", import.meta.url), "utf8");
    const { text } = reports
      .split("\n")
      .map((line) => JSON.parse(line || "{}") as { id?: string; text: string })
      .find(({ id }) => id === "openclaw/openclaw#31148")!;
    const explain = async () => {
      const { body } = await ask(clawkit.port, `${API}/explain`, {
        method: "POST",
        headers: signed,
        body: text,
      });
      return (JSON.parse(body.toString()) as Contract.Explained).causes.slice(0, 2);
    };
    const before = await explain();
    assert.deepEqual(
      before.map(({ id }) => id),
      ["config-invalid", "config-reload-restart"],
    );
    assert.equal(before[0]!.strength, before[1]!.strength);
    const said = { playbook: "4001", solved: "yes" };
    const taken = await post<Contract.FeedbackTaken>(clawkit.port, "/feedback", signed, said);
    assert.equal(taken.cause, "config-reload-restart");
    assert.deepEqual(
      (await explain()).map(({ id, seenHere }) => [id, seenHere ?? 0]),
      [
        ["config-reload-restart", 1],
        ["config-invalid", 0],
      ],
    );
  });

  test("logs come live, and an incident goes into a file", async () => {
    const { request, response } = open(clawkit.port, `${API}/logs/events?source=gateway`, {
      headers: signed,
    });
    request.end();
    const { gateway } = await clawkit.status();
    const texts: string[] = [];
    const seen = untilEvent<Contract.LogEvents["lines"]>(await response, (event, { lines }) => {
      if (event === "lines" && texts.length === 0) process.kill(gateway.pid!, "SIGKILL");
      texts.push(...lines.map(({ level, text }) => `${level} ${text}`));
      return texts.some((text) => text.includes(`pid ${gateway.pid}`)) && texts.at(-1)!.includes("ready");
    });
    await seen;
    request.destroy();
    assert.ok(texts.some((text) => /^error gateway ended: killed by SIGKILL/.test(text)));
    const incident = await until(async () => {
      const { incidents } = await get<{ incidents: Contract.IncidentSummary[] }>(
        clawkit.port,
        "/incidents",
        signed,
      );
      return incidents.find(({ closedAt }) => closedAt !== null);
    });
    const file = await ask(clawkit.port, `${API}/incidents/${incident.id}/export`, { headers: signed });
    assert.match(file.headers["content-disposition"]!, /^attachment; filename="incident-[\w-]+\.json"$/);
    assert.equal((JSON.parse(file.body.toString()) as Contract.IncidentExport).incident.id, incident.id);
  });

  test("what may be changed is listed with its diff, applied by name and taken back", async () => {
    const { advice } = await get<Contract.Hardening>(clawkit.port, "/harden", signed);
    const item = advice.find(({ state, risk }) => state === "change" && risk === "safe")!;
    const headers = { ...signed, "Content-Type": "application/json" };
    const { request, response } = open(clawkit.port, `${API}/harden/apply`, { method: "POST", headers });
    request.end(JSON.stringify({ ids: [item.id] }));
    const result = await untilEvent<Contract.Hardening>(await response, (event) => event === "result");
    const applied = result.advice.filter(({ undo }) => undo !== undefined);
    assert.ok(applied.length > 0 && applied.every(({ id }) => id === item.id));
    const undone = await ask(clawkit.port, `${API}/harden/undo`, {
      method: "POST",
      headers,
      body: JSON.stringify({ id: applied[0]!.undo }),
    });
    assert.equal(undone.status, 200, undone.body.toString());
  });
});

test("without an edge clawkit console serves the same from here, starts the gateway, and points to its edge", async () => {
  await using clawkit = await TestClawkit.create();
  const child = clawkit.spawnCli("console", "--json");
  let printed = "";
  while (!printed.includes("}")) printed += String((await once(child.stdout!, "data"))[0]);
  const wayIn = JSON.parse(printed) as WayIn;
  assert.equal(wayIn.servedBy, "this command");
  const port = Number(new URL(wayIn.url).port);
  const { headers } = await signIn(port, { code: codeOf(wayIn) });
  const before = await get<Contract.Overview>(port, "/overview", headers);
  assert.deepEqual([before.sentence, before.edgeConsole], ["Nothing is running. No outage this week.", null]);
  const fix = async (body: Contract.FixRequest) => {
    const { request, response } = open(port, `${API}/doctor/fix`, {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json" },
    });
    request.end(JSON.stringify(body));
    return await untilEvent<Contract.DoctorReport>(await response, (event) => event === "result");
  };
  const planned = (await fix({ ids: [], dryRun: true })).repairs!;
  assert.deepEqual(
    planned.map(({ outcome }) => outcome),
    ["planned"],
  );
  const after = await fix({ ids: planned.map(({ id }) => id) });
  assert.deepEqual([after.verdict, after.repairs?.[0]?.helped], ["healthy", true]);
  const now = await get<Contract.Overview>(port, "/overview", headers);
  assert.equal(now.edgeConsole, `http://127.0.0.1:${clawkit.port}/__clawkit__/`);
  child.kill("SIGINT");
  assert.deepEqual(await once(child, "exit"), [0, null]);
});

/** An address of this machine that is not loopback: to the edge it is another machine's. */
const [other] = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .filter(({ family, internal }) => family === "IPv4" && !internal);

test("another machine is refused unless it is listed, and then signs in", {
  skip: other === undefined ? "this machine has loopback only" : false,
}, async () => {
  await using clawkit = await TestClawkit.run({ gateway: { bind: "lan" } });
  const { port } = clawkit;
  const from = async (path: string, init: RequestInit = {}) =>
    await fetch(`http://${other!.address}:${port}${API}${path}`, init);
  assert.equal((await from("/overview")).status, 403);

  const listed = { allowFrom: [other!.address], hosts: [other!.address] };
  await clawkit.writeConfig({ gateway: { bind: "lan" }, console: listed });
  assert.equal((await clawkit.cli("gateway", "restart", "--all")).code, 0);
  assert.equal((await from("/overview")).status, 401);
  const wayIn = JSON.parse((await clawkit.cli("console", "--json")).stdout) as WayIn;
  const session = await from("/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code: codeOf(wayIn) }),
  });
  assert.equal(session.status, 200, await session.text());
  const Cookie = session.headers.getSetCookie()[0]!.split(";")[0]!;
  assert.equal((await from("/overview", { headers: { Cookie } })).status, 200);
});

test("what cannot be is said with exit code 2", async () => {
  await using clawkit = await TestClawkit.create();
  const wrong: [args: string[], told: RegExp][] = [
    [["console", "--port", "x"], /--port must be a number from 1 to 65535, not "x"/],
    [["doctor", "--fix", "nothing"], /--fix must name repairs, and "nothing" is none: /],
    [["harden", "--apply", "nothing"], /--apply must name items, and "nothing" is none: /],
  ];
  for (const [args, told] of wrong) {
    const { code, stderr } = await clawkit.cli(...args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, told);
  }
});
