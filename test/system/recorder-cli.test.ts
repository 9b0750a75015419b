import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { strFromU8, unzipSync } from "fflate";
import { statePaths } from "../../src/config/paths.ts";
import { ClawkitError } from "../../src/core/errors.ts";
import { SqliteStore } from "../../src/recorder/sqlite-store.ts";
import type { ConnectionRow, IncidentRow } from "../../src/recorder/store.ts";
import type { IncidentStory } from "../../src/recorder/story.ts";
import type { Crash } from "../../src/supervisor/crashes.ts";
import { ActingOpenclaw } from "../helpers/acting-openclaw.ts";
import { type CommandResult, program, TestClawkit, TOKEN, until } from "../helpers/clawkit.ts";
import { openClients, TestClient } from "../helpers/clients.ts";
import { CLAWKIT, CommandLine } from "../helpers/command-line.ts";
import { untilGone } from "../helpers/processes.ts";
import { ReferenceClient } from "../helpers/reference-client.ts";
import { exits, json } from "../helpers/results.ts";

interface Failure {
  readonly ok: false;
  readonly error: { readonly code: string; readonly message: string };
}

const command = (...args: Parameters<typeof program>) => ({
  gateway: { upstream: { type: "command", command: program(...args) } },
});
const ECHO = command("echo");
const PRINTER = command("printer");

const SECRET = "hunter2-hunter2";

const GIVE_UP_MS = 240_000;

const read = async <T>(clawkit: TestClawkit, ...args: string[]) =>
  json<T>(await exits(0, clawkit.cli(...args, "--json")));

/** The recorder writes 10 times a second: polls until its newest incident is as wanted. */
function untilIncident(
  clawkit: TestClawkit,
  wanted: (incident: IncidentRow) => boolean,
): Promise<IncidentRow> {
  return until(async () => {
    const [newest] = await read<IncidentRow[]>(clawkit, "incidents", "--limit", "1");
    return newest !== undefined && wanted(newest) ? newest : undefined;
  });
}

const isClosed = ({ closedAt, crash }: IncidentRow) => closedAt !== null && crash !== null;

/** Sends words to a gateway of `test/fixtures/programs`, and waits until they were its last. */
async function sayLast(clawkit: TestClawkit, ...words: string[]): Promise<void> {
  const client = new TestClient(clawkit.url);
  await client.opened;
  for (const text of words.slice(0, -1)) await client.echo(text);
  client.socket.send(words.at(-1)!);
  await client.ended;
}

describe("the flight recorder's commands", { concurrency: 2, timeout: GIVE_UP_MS }, () => {
  describe("with nothing recorded", { concurrency: 2 }, () => {
    test("say so, and leave nothing behind", async () => {
      await using line = await CommandLine.create();
      const said: [command: string, text: RegExp][] = [
        ["why", /^No incident is recorded: nothing went down/],
        ["incidents", /^No incident is recorded\n$/],
        ["incidents --since 1h", /^No incident is recorded since then\n$/],
        ["connections", /^No such connection is recorded\n$/],
        ["connections --live", /^No such connection is recorded\n$/],
        ["crash list", /^No crash is recorded\n$/],
      ];
      for (const [words, text] of said)
        assert.match((await exits(0, line.clawkit(...words.split(" ")))).stdout, text);
      assert.equal(existsSync(line.paths.recorder), false);
    });

    test("--json: empty values of the same shape", async () => {
      await using line = await CommandLine.create();
      const printed = async (words: string) =>
        json(await exits(0, line.clawkit(...words.split(" "), "--json")));
      assert.deepEqual(await printed("why"), { incident: null });
      for (const words of ["incidents", "connections", "crash list"])
        assert.deepEqual(await printed(words), [], words);
    });

    test("what was asked for by name exits 1 with NOTHING_RECORDED", async () => {
      await using line = await CommandLine.create();
      const failing: [command: string, told: RegExp][] = [
        ["why i-nothing", /Cannot explain "i-nothing" as no incident, connection, client id or address/],
        ["crash show", /Cannot show a crash as none is recorded/],
        ["crash show x", /Cannot find a crash named "x": see clawkit crash list/],
        ["crash export", /none is recorded/],
      ];
      for (const [words, told] of failing) {
        const { stdout, stderr } = await exits(1, line.clawkit(...words.split(" "), "--json"));
        const { ok, error } = JSON.parse(stdout) as Failure;
        assert.deepEqual([ok, error.code], [false, "NOTHING_RECORDED"], words);
        assert.match(error.message, told);
        assert.match(stderr, told);
      }
    });

    test("a wrong value exits 2 and says what is right", async () => {
      await using line = await CommandLine.create();
      const wrong: [args: string[], told: RegExp][] = [
        [["incidents", "--since", "yesteryear"], /--since must be a time span .* not "yesteryear"/],
        [["incidents", "--limit", "0"], /--limit must be a whole number from 1 on, not "0"/],
        [["incidents", "--limit", "-1"], /--limit/],
        [["incidents", "--limit", "1.5"], /--limit must be/],
        [["connections", "--limit", "many"], /--limit must be a whole number from 1 on, not "many"/],
        [["connections", "--since", ""], /--since must be/],
        [["connections", "--live", "--closed"], /--live and --closed exclude each other/],
        [["why", "one", "two"], /too many arguments/],
        [["why", "--client-saw", "1006", "--at", "10m"], /three parts: .*--from/],
        [reportWith({ what: "c-1" }), /which connection is meant: leave "c-1" out/],
        [reportWith({ saw: "0000" }), /--client-saw must be a close code .* not "0000"/],
        [reportWith({ at: "25:99" }), /--at must be a time of day .* not "25:99"/],
        [["crash", "shred"], /unknown command/],
      ];
      for (const [args, told] of wrong) assert.match((await exits(2, line.clawkit(...args))).stderr, told);
    });

    test("why --client-saw finds the connection of an address behind which thousands came since", async () => {
      await using line = await CommandLine.create("{}");
      const now = Date.now();
      const store = new SqliteStore(line.paths.recorder);
      store.transaction(() => {
        for (let n = 0; n < 2_000; n++) {
          const openedAt = n === 0 ? now - 3_600_000 : now - 60_000 + n;
          store.openConnection({ id: `c-${n}`, openedAt, address: "192.0.2.1", origin: null, path: "/" });
        }
        const end = { at: now - 3_000_000, by: "network", code: null, reason: "", phase: "open" } as const;
        const traffic = { bytesIn: 0, bytesOut: 0, framesIn: 0, framesOut: 0, rttMs: null };
        const cause = { cause: "client-vanished", lastActivityAt: end.at } as const;
        store.closeConnection("c-0", { ...end, ...traffic, ...cause }, null);
      });
      store.close();
      const args = [...reportWith({ at: "50m", from: "192.0.2.1" }), "--json"];
      const { connection } = json<{ connection: ConnectionRow }>(await exits(0, line.clawkit(...args)));
      assert.equal(connection.id, "c-0");
    });

    test("a store that is broken is named, and not touched: exit 78", async () => {
      await using line = await CommandLine.create("{}");
      await writeFile(line.paths.recorder, "this is no database ".repeat(500));
      const { stderr } = await exits(78, line.clawkit("why"));
      assert.match(stderr, /Cannot read .*recorder\.db: it is corrupt: the next start keeps it aside/);
      assert.match(await readFile(line.paths.recorder, "utf8"), /^this is no database/);
      const failure = json<Failure>(await exits(78, line.clawkit("incidents", "--json")));
      assert.equal(failure.error.code, "STATE_UNUSABLE");
    });
  });

  describe("after a gateway with a client was killed with -9, while it runs again", () => {
    let clawkit: TestClawkit;
    let openclaw: ActingOpenclaw;
    let client: ReferenceClient;
    let incident: IncidentRow;
    let ended: ConnectionRow;

    before(async () => {
      // clients of the built-in gateway would not notice
      openclaw = await ActingOpenclaw.create();
      clawkit = await TestClawkit.run({ gateway: { upstream: openclaw.upstream() } });
      client = await ReferenceClient.connect(clawkit.url, TOKEN);
      process.kill((await clawkit.status()).gateway.pid!, "SIGKILL");
      await client.when(() => client.hellos[1]);
      incident = await untilIncident(clawkit, isClosed);
      const rows = await until(async () => {
        const closed = await read<ConnectionRow[]>(clawkit, "connections", "--closed");
        return closed.length > 0 ? closed : undefined;
      });
      ended = rows.at(-1)!;
    });
    after(async () => {
      await client?.stop();
      await clawkit?.[Symbol.asyncDispose]();
      await openclaw?.[Symbol.asyncDispose]();
    });

    test("why tells the story: what, why, how sure, what was done, who was affected", async () => {
      const { stdout, stderr } = await exits(0, clawkit.cli("why"));
      assert.equal(stderr, "");
      assert.match(
        stdout,
        /^The gateway was away for \d+(\.\d+)? m?s, from \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d\n/,
      );
      for (const part of [
        /what happened +A person or program killed it \(SIGKILL\)\. That was generation 1, pid \d+/,
        /cause +killed-by-signal \((confirmed|likely)\): a signal from a person or program/,
        /evidence +ended by SIGKILL/,
        // whose word is written down first
        /noticed by +the (supervisor, which saw the process end|edge, which got no answer)/,
        /what was done +after \d+.* started again as generation 2, pid \d+, ready \d+.* later/,
        /clients +1 connection was affected; they were told 1012 "gateway restarting/,
        /not known +who sent the signal/,
        /more +its last words and all evidence: clawkit crash show \d{4}-/,
      ])
        assert.match(stdout, part);
      assert.doesNotMatch(stdout, new RegExp(TOKEN));
    });

    test("why --json is the same story as data, and why <incident> the same as why", async () => {
      const story = await read<IncidentStory>(clawkit, "why");
      assert.deepEqual(await read(clawkit, "why", incident.id), story);
      assert.equal(story.incident.id, incident.id);
      assert.deepEqual(
        [
          story.incident.kind,
          story.incident.role,
          story.incident.cause,
          story.incident.generation,
          story.incident.ends,
        ],
        ["outage", "gateway", "killed-by-signal", 1, 1],
      );
      assert.deepEqual([story.ended!.generation, story.ended!.signal], [1, "SIGKILL"]);
      assert.deepEqual(
        story.restarts.map(({ generation }) => generation),
        [2],
      );
      assert.deepEqual([story.connections, story.told!.id, story.told!.end!.code], [1, ended.id, 1012]);
      assert.ok(Array.isArray(story.notes));
    });

    test("why <connection> tells how it ended, and of the incident it was part of", async () => {
      const { stdout } = await exits(0, clawkit.cli("why", ended.id));
      assert.match(stdout, new RegExp(`^Connection ${ended.id} was ended by the gateway with 1012 "`));
      for (const part of [
        /client +test \S+ at 127\.0\.0\.1/,
        /cause +gateway-ended: the gateway ended under the connection/,
        /evidence +[1-9]\d* frames and [1-9]\d* bytes came from the client/,
        /served by generation 1 of the gateway/,
        new RegExp(`clawkit why ${incident.id}`),
        /^The gateway was away for/m,
      ])
        assert.match(stdout, part);
      const answer = await read<IncidentStory & { connection: ConnectionRow }>(clawkit, "why", ended.id);
      assert.deepEqual([answer.connection.id, answer.incident.id], [ended.id, incident.id]);
    });

    test("why <connection> of one that is open says since when", async () => {
      const [live] = await read<ConnectionRow[]>(clawkit, "connections", "--live");
      const { stdout } = await exits(0, clawkit.cli("why", live!.id));
      assert.match(stdout, new RegExp(`^Connection ${live!.id} is open since \\d{4}-.*\\n +client +test `));
    });

    for (const name of ["test", "127.0.0.1"]) {
      test(`why <client>: ${name}, by what it calls itself or by its address`, async () => {
        const { stdout } = await exits(0, clawkit.cli("why", name));
        assert.match(
          stdout,
          new RegExp(`^${name}: [2-9] connections recorded, 1 open now\\n +ended +1 × gateway-ended`),
        );
        const answer = await read<{ client: string; connections: ConnectionRow[]; causes: object }>(
          clawkit,
          "why",
          name,
        );
        assert.equal(answer.client, name);
        assert.ok(answer.connections.some(({ id }) => id === ended.id));
        assert.equal((answer.causes as Record<string, number>)["gateway-ended"], 1);
      });
    }

    test("why --client-saw puts our side of an end beside what its client says of it", async () => {
      const answer = await read<{ ours: string; meaning: string; connection: ConnectionRow }>(
        clawkit,
        ...reportWith({ at: new Date(ended.end!.at).toISOString(), from: "::ffff:127.0.0.1" }),
      );
      assert.equal(answer.connection.id, ended.id);
      assert.match(answer.ours, /^last byte .+, closed by the gateway with 1012 /);
      assert.match(answer.meaning, /^the Close frame did not reach the client/);
    });

    test("why <unknown> exits 1", async () => {
      for (const what of ["nobody", "i-0", "127.0.0", "%", "' OR 1=1 --"]) {
        const { error } = json<Failure>(await exits(1, clawkit.cli("why", "--json", "--", what)));
        assert.equal(error.code, "NOTHING_RECORDED", what);
      }
    });

    test("incidents: one row, newest first, within --since and --limit", async () => {
      const { stdout } = await exits(0, clawkit.cli("incidents"));
      const [header, row, advice] = stdout.split("\n");
      assert.match(header!, /^incident +began +lasted +who +cause +clients +what$/);
      assert.match(row!, new RegExp(`^${incident.id} .* gateway +killed-by-signal +1 +a person or program`));
      assert.equal(advice, `Explain one with: clawkit why ${incident.id}`);

      const [found] = await read<(IncidentRow & { connections: number })[]>(
        clawkit,
        "incidents",
        "--since",
        "1h",
        "--limit",
        "1",
      );
      assert.deepEqual(found, { ...incident, connections: 1 });
      assert.deepEqual(await read(clawkit, "incidents", "--since", "2099-01-01"), []);
    });

    test("connections: --live and --closed divide them, without both all are shown", async () => {
      const ids = async (...args: string[]) =>
        (await read<ConnectionRow[]>(clawkit, "connections", ...args)).map(({ id }) => id);
      const [live, closed, all] = [await ids("--live"), await ids("--closed"), await ids()];
      assert.equal(live.length, 1);
      assert.ok(closed.includes(ended.id));
      assert.deepEqual([...live, ...closed].sort(), [...all].sort());
      assert.deepEqual(await ids("--limit", "1"), all.slice(0, 1));
      assert.deepEqual(await ids("--closed", "--since", "2099-01-01"), []);

      const { stdout } = await exits(0, clawkit.cli("connections", "--limit", "1"));
      assert.match(stdout, /^connection +opened +lasted +client +ended by +code +cause\n/);
      assert.match(stdout, /test 127\.0\.0\.1 .*open$/m);
      assert.match(stdout, /^The newest 1\b.*; more with --limit$/m);
      const text = (await exits(0, clawkit.cli("connections", "--closed"))).stdout;
      assert.match(
        text,
        new RegExp(`^${ended.id} .* test 127\\.0\\.0\\.1 +gateway +1012 +gateway-ended$`, "m"),
      );
    });

    test("a connection row has all that docs and scripts rely on", async () => {
      const { end, ...row } = ended;
      assert.deepEqual(
        [row.clientId, row.address, row.path, row.generation, row.incident],
        ["test", "127.0.0.1", "/", 1, incident.id],
      );
      assert.deepEqual(
        [end!.by, end!.code, end!.phase, end!.cause],
        ["gateway", 1012, "open", "gateway-ended"],
      );
      assert.ok(end!.bytesIn > 0 && end!.bytesOut > 0 && end!.framesIn > 0 && end!.framesOut > 0);
      assert.ok(end!.at >= row.openedAt && end!.lastActivityAt >= row.openedAt);
    });

    test("crash list and show: the crash that the incident names", async () => {
      const crashes = await read<Crash[]>(clawkit, "crash", "list");
      assert.deepEqual(
        crashes.map(({ name }) => name),
        [incident.crash],
      );
      const list = (await exits(0, clawkit.cli("crash", "list"))).stdout;
      assert.match(list, /^crash +when +who +lived +cause +what\n/);
      assert.match(list, new RegExp(`^${incident.crash} .* gateway .* killed-by-signal `, "m"));

      const last = (await exits(0, clawkit.cli("crash", "show"))).stdout;
      assert.equal((await exits(0, clawkit.cli("crash", "show", incident.crash!))).stdout, last);
      for (const part of [
        /^The gateway ended: a person or program killed it \(SIGKILL\)\n/,
        /who +generation 1, pid \d+: /,
        /cause +killed-by-signal, SIGKILL \((confirmed|likely)\)/,
        /evidence +ended by SIGKILL/,
        /memory +RSS at most \d+ MB/,
        /last words +\S/,
        new RegExp(`files +.*${incident.crash}: crash\\.json, .*output\\.log`),
      ])
        assert.match(last, part);
      const shown = await read<Crash & { folder: string; output: string[] }>(clawkit, "crash", "show");
      assert.equal(shown.name, incident.crash);
      assert.ok(existsSync(join(shown.folder, "crash.json")) && Array.isArray(shown.output));
    });

    test("crash show and export of an unknown name exit 1", async () => {
      for (const verb of ["show", "export"]) {
        const { stderr } = await exits(1, clawkit.cli("crash", verb, "../../config.json5"));
        assert.match(stderr, /Cannot find a crash named "\.\.\/\.\.\/config\.json5": see clawkit crash list/);
      }
    });

    test("crash export writes an archive that only its owner may read, and overwrites nothing", async () => {
      const target = join(clawkit.stateDir, "export.zip");
      const { stdout } = await exits(0, clawkit.cli("crash", "export", "--output", target));
      assert.match(
        stdout,
        new RegExp(`^Wrote ${target} \\(about\\.json, crash\\.json, .*output\\.log.*\\)\\n`),
      );
      assert.match(stdout, /read it once more before you send it/);
      assert.equal((await stat(target)).mode & 0o777, 0o600);

      const files = unzipSync(await readFile(target));
      const folder = join(statePaths(clawkit.stateDir).crashesDir, incident.crash!);
      const expected = [...(await readdir(folder)), "about.json"].map((name) => `${incident.crash}/${name}`);
      assert.deepEqual(Object.keys(files).sort(), expected.sort());
      const text = (name: string) => strFromU8(files[`${incident.crash}/${name}`]!);
      assert.equal(JSON.parse(text("about.json")).crash, incident.crash);
      assert.equal((JSON.parse(text("crash.json")) as Crash).exit.cause, "killed-by-signal");

      const { stderr } = await exits(2, clawkit.cli("crash", "export", incident.crash!, "-o", target));
      assert.match(stderr, /Cannot write .*export\.zip: it is there already: name another with --output/);
      assert.deepEqual(Object.keys(unzipSync(await readFile(target))).sort(), expected);

      const other = join(clawkit.stateDir, "other.zip");
      assert.deepEqual(await read(clawkit, "crash", "export", "-o", other), {
        file: other,
        files: Object.keys(files),
      });
      const nowhere = join(clawkit.stateDir, "no", "such", "folder.zip");
      await exits(2, clawkit.cli("crash", "export", "-o", nowhere));
    });

    test("no colours and no moving lines when nothing of it is a terminal", async () => {
      const all = [
        "why",
        `why ${ended.id}`,
        "why test",
        "why nobody",
        "incidents",
        "connections",
        "crash list",
        "crash show",
      ];
      for (const words of all) {
        const plain = await clawkit.spawnAndWait(process.execPath, [CLAWKIT, ...words.split(" ")], {
          NO_COLOR: undefined,
        });
        assert.doesNotMatch(plain.stdout + plain.stderr, /\x1b/, words);
      }
    });
  });

  test("a gateway that is still away: why says since when, and that it refused to start", async () => {
    await using clawkit = await TestClawkit.run(ECHO);
    await sayLast(clawkit, "exit 78");
    const incident = await untilIncident(clawkit, ({ cause }) => cause === "config-refused-at-startup");
    assert.equal(incident.closedAt, null);
    const { stdout } = await exits(0, clawkit.cli("why"));
    assert.match(stdout, /^The gateway is away since \d{4}-/);
    assert.match(stdout, /cause +config-refused-at-startup \(confirmed\)/);
    assert.match(stdout, /clients +1 connection was affected/);
    assert.match(
      (await exits(0, clawkit.cli("incidents"))).stdout,
      / lasts +gateway +config-refused-at-startup /,
    );
  });

  test("everything killed with -9: the story says that it ended, and that nobody saw why", async () => {
    await using clawkit = await TestClawkit.run(ECHO);
    const [client] = await openClients(1, clawkit.url);
    await until(
      async () => (await read<unknown[]>(clawkit, "connections", "--live")).length === 1 || undefined,
    );
    const { supervisor, edge, gateway } = await clawkit.status();
    const pids = [supervisor.pid!, edge.pid!, gateway.pid!];
    for (const pid of pids) process.kill(pid, "SIGKILL");
    await untilGone(pids);
    await client!.ended;

    const story = await read<IncidentStory>(clawkit, "why");
    const { incident } = story;
    assert.deepEqual(
      [incident.role, incident.cause, incident.noticedBy, incident.closedAt, story.ended!.pid],
      ["supervisor", "ended-without-record", "recorder", null, supervisor.pid],
    );
    const { stdout } = await exits(0, clawkit.cli("why"));
    for (const part of [
      /^The supervisor is away since/,
      /what happened +Ended without shutdown, reason unknown\. That was generation \d+, pid \d+/,
      /noticed by +the flight recorder, from what was written down/,
      /not known +why it ended: no process of ours saw it/,
    ])
      assert.match(stdout, part);
    assert.deepEqual(await read(clawkit, "why"), story, "asking changes nothing");

    const [connection] = await read<ConnectionRow[]>(clawkit, "connections");
    assert.deepEqual(
      [connection!.end!.cause, connection!.end!.by, connection!.end!.code, connection!.incident],
      ["edge-ended", "edge", null, incident.id],
    );
    await exits(0, clawkit.cli("gateway", "start"));
    const over = await untilIncident(clawkit, ({ closedAt }) => closedAt !== null);
    assert.equal(over.id, incident.id);
    assert.match((await exits(0, clawkit.cli("why"))).stdout, /^The supervisor was away for/);
  });

  test("reading goes on while the recorder writes, and shows more each time", async () => {
    await using clawkit = await TestClawkit.run(ECHO);
    const over = new AbortController();
    const visitors = Array.from({ length: 4 }, () => keepVisiting(clawkit.url, over.signal));
    const counts: number[] = [];
    try {
      await until(() => countClosed(clawkit) > 0 || undefined);
      for (let i = 0; i < 4; i++) {
        counts.push(countClosed(clawkit));
        await exits(0, clawkit.cli("why"));
        await exits(0, clawkit.cli("incidents"));
      }
    } finally {
      over.abort();
    }
    const visits = (await Promise.all(visitors)).reduce((sum, count) => sum + count, 0);
    for (const [i, count] of counts.entries()) assert.ok(i === 0 || count > counts[i - 1]!, `${counts}`);
    // and the writer lost nothing for it
    const wanted = () => countClosed(clawkit) >= visits || undefined;
    await until(wanted).catch(() => undefined);
    assert.equal(countClosed(clawkit), visits);
  });

  // Somebody pipes it into jq.
  test("a long answer arrives whole in a pipe", {}, async () => {
    await using line = await CommandLine.create("{}");
    const store = new SqliteStore(line.paths.recorder);
    store.transaction(() => {
      for (let i = 0; i < 3_000; i++)
        store.openConnection({
          id: `e-${i}`,
          openedAt: 1_000 + i,
          address: "192.0.2.7",
          origin: null,
          path: "/",
        });
    });
    store.close();
    const { stdout } = await exits(0, line.clawkit("connections", "--json", "--limit", "3000"));
    assert.match(stdout.slice(-20), /\]\n$/);
    assert.equal((JSON.parse(stdout) as unknown[]).length, 3_000);
  });

  describe("what a gateway printed before it crashed", { concurrency: 2 }, () => {
    const crashAfter = async (...words: string[]) => {
      const clawkit = await TestClawkit.run(PRINTER);
      await sayLast(clawkit, ...words, "exit 3");
      await untilIncident(clawkit, ({ closedAt }) => closedAt !== null);
      return clawkit;
    };
    const everything = (clawkit: TestClawkit) => {
      const commands = ["why", "why --json", "crash list --json", "crash show", "crash show --json"];
      return Promise.all(commands.map((words) => clawkit.cli(...words.split(" ")))).then((results) =>
        results.map(({ stdout, stderr }: CommandResult) => stdout + stderr).join("\n"),
      );
    };

    test("is in the archive without what looks like a secret", async () => {
      await using clawkit = await crashAfter("say I feel unwell", `say password=${SECRET} port=1`);
      await untilIncident(clawkit, isClosed);
      const target = join(clawkit.stateDir, "export.zip");
      await exits(0, clawkit.cli("crash", "export", "-o", target));
      const texts = Object.values(unzipSync(await readFile(target))).map((bytes) => strFromU8(bytes));
      const output = texts.find((text) => text.includes("I feel unwell"));
      assert.match(output ?? "", /password=\[redacted\] port=1/);
      for (const text of texts) assert.doesNotMatch(text, /hunter2/);
      assert.match((await exits(0, clawkit.cli("crash", "show"))).stdout, /last words +I feel unwell\n/);
    });

    test("is told by why without what looks like a secret", {}, async () => {
      await using clawkit = await crashAfter(`say password=${SECRET} port=1`);
      assert.doesNotMatch(await everything(clawkit), /hunter2/);
      assert.doesNotMatch(await clawkit.runLog(), /hunter2/);
    });

    // The secret is taken out of the JSON text, and takes a quote with it.
    test("may have a secret in quotes: the crash is listed all the same", {}, async () => {
      await using clawkit = await crashAfter(`say Error: token = "${SECRET}"`);
      const { crash } = await untilIncident(clawkit, (incident) => incident.crash !== null);
      await exits(0, clawkit.cli("crash", "show", crash!));
    });
  });
});

/** Connections that are recorded with their end. */
function countClosed(clawkit: TestClawkit): number {
  const { recorder } = statePaths(clawkit.stateDir);
  if (!existsSync(recorder)) return 0; // its thread has only just started
  let store: SqliteStore | undefined;
  try {
    store = new SqliteStore(recorder, { readOnly: true });
    return store.countConnections({ state: "closed" });
  } catch (error) {
    if (error instanceof ClawkitError && error.code === "NOTHING_RECORDED") return 0; // no tables yet
    throw error;
  } finally {
    store?.close();
  }
}

/** Comes and goes until it is over; says how often it came. */
async function keepVisiting(url: string, over: AbortSignal): Promise<number> {
  let visits = 0;
  while (!over.aborted) {
    const client = new TestClient(url);
    await client.opened;
    client.socket.close(1000);
    await client.ended;
    visits++;
  }
  return visits;
}

/** A client's report, with what is given in place of what is right. */
function reportWith(parts: { what?: string; saw?: string; at?: string; from?: string }): string[] {
  const { what = [], saw = "1006", at = "10m", from = "127.0.0.1" } = parts;
  return ["why", ...[what].flat(), "--client-saw", saw, "--at", at, "--from", from];
}
