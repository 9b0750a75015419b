import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { after, before, describe, type TestContext, test } from "node:test";
import { statePaths } from "../../src/config/paths.ts";
import type { Finding } from "../../src/diagnosis/types.ts";
import { type CommandResult, freePort, TestClawkit, TOKEN } from "../helpers/clawkit.ts";
import { CommandLine, OPENCLAW } from "../helpers/command-line.ts";
import { needsProc, processesOf, untilGone } from "../helpers/processes.ts";
import { exits, json } from "../helpers/results.ts";

/** What `doctor --json` prints. */
interface Report {
  readonly schemaVersion: number;
  readonly ok: boolean;
  readonly verdict: string;
  readonly causes: readonly Finding[];
  readonly facts: readonly { readonly id: string }[];
  readonly notLooked: readonly unknown[];
  readonly checksRun: number;
  readonly checksSkipped: number;
  readonly findings: readonly { checkId: string; severity: string; message: string; fixHint?: string }[];
  readonly next?: string | null;
  readonly repairs?: readonly { id: string; outcome: string; helped?: boolean; ledgerId?: string }[];
}

const firstLine = ({ stdout }: CommandResult) => stdout.split("\n")[0];
const said = ({ stdout, stderr }: CommandResult) => stdout + stderr;

/** A home with this config, or without anything; nothing is started in it. */
async function homeWith(t: TestContext, config?: string): Promise<CommandLine> {
  const line = await CommandLine.create(config);
  t.after(() => line[Symbol.asyncDispose]());
  return line;
}

/** A ClawKit that a test may start. */
async function created(t: TestContext): Promise<TestClawkit> {
  const clawkit = await TestClawkit.create();
  t.after(() => clawkit[Symbol.asyncDispose]());
  return clawkit;
}

/** Under the name of the alias. */
function openclaw(clawkit: TestClawkit, ...args: string[]): Promise<CommandResult> {
  return clawkit.spawnAndWait(process.execPath, [OPENCLAW, ...args]);
}

/** Ends all processes of a ClawKit at once, as a machine does that loses its power. */
async function killAll({ stateDir }: TestClawkit): Promise<void> {
  const pids = (await processesOf(stateDir)).map(({ pid }) => pid);
  for (const pid of pids) process.kill(pid, "SIGKILL");
  await untilGone(pids);
}

const outcomes = ({ repairs = [] }: Report) => repairs.map(({ id, outcome }) => `${id} ${outcome}`);

const VALID = `{ gateway: { auth: { mode: "token", token: "${TOKEN}" } } }\n`;

describe("doctor", { concurrency: 3 }, () => {
  describe("on a machine without anything", () => {
    test("says that nothing listens, in two lines, with evidence and what helps", async (t) => {
      const line = await homeWith(t);
      const result = await exits(1, line.clawkit("doctor", "--url", `ws://127.0.0.1:${line.port}`));
      const [first, second, ...rest] = result.stdout.split("\n");
      assert.equal(first, "Nothing listens where the client looked");
      assert.match(second!, /^Cause not-listening, likely\./);
      assert.match(rest.join("\n"), new RegExp(`evidence +listeners of port ${line.port}: nothing listens`));
      assert.match(rest.join("\n"), /what helps +\S/);
    });

    test("says it in JSON, has nothing to repair, and leaves nothing behind", async (t) => {
      const line = await homeWith(t);
      const report = json<Report>(await exits(1, line.clawkit("doctor", "--fix", "--yes", "--json")));
      assert.deepEqual([report.schemaVersion, report.ok, report.verdict], [1, false, "likely"]);
      const [best] = report.causes;
      assert.deepEqual([best?.id, best?.verdict], ["not-listening", "likely"]);
      assert.ok(best!.evidence.length > 0 && best!.remedies.length > 0);
      assert.ok(report.facts.some(({ id }) => id === "port-free"));
      assert.equal(report.checksSkipped, report.notLooked.length);
      assert.deepEqual(report.repairs, []);
      assert.deepEqual(await readdir(line.home), []);
    });

    test("has no repair to take back", async (t) => {
      const line = await homeWith(t);
      assert.deepEqual(json(await exits(0, line.clawkit("doctor", "undo", "--list", "--json"))), []);
      assert.match(
        (await exits(1, line.clawkit("doctor", "undo"))).stderr,
        /Cannot undo a repair as there is none/,
      );
    });
  });

  describe("its arguments", () => {
    test("list what is looked at", async (t) => {
      const line = await homeWith(t);
      const rows = json<{ id: string; what: string }[]>(
        await exits(0, line.clawkit("doctor", "--list", "--json")),
      );
      const ids = rows.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
      assert.ok(ids.includes("port") && ids.includes("config"), ids.join());
    });

    test("take one look", async (t) => {
      const line = await homeWith(t);
      const address = `ws://127.0.0.1:${line.port}`;
      const result = await line.clawkit("doctor", "--only", "port", "--json", "--url", address);
      const { verdict, causes, facts } = json<Report>(result);
      assert.deepEqual(
        facts.map(({ id }) => id),
        ["port-free"],
      );
      assert.deepEqual([result.code, verdict, causes[0]?.id], [1, "possible", "not-listening"]);
    });

    // what is wrong elsewhere in the config is no reason to look at another port than it says
    test("and a config that is not valid still say which port is meant", async (t) => {
      const port = await freePort();
      const line = await homeWith(t, `{ gateway: { port: ${port}, bind: 7 } }`);
      const result = await exits(1, line.clawkit("doctor", "--only", "port"));
      assert.match(result.stdout, new RegExp(`nothing listens on port ${port}`));
      assert.match(result.stdout, /Only who listens on the gateway's port was looked at\./);
    });

    for (const [what, args, message] of [
      [
        "a look that does not exist",
        ["--only", "everything"],
        /--only must be one of port, .*, not "everything"/,
      ],
      [
        "an address that is none",
        ["--url", "ftp://10.0.0.5"],
        /--url must be a ws:\/\/ or wss:\/\/ address, not "ftp/,
      ],
      ["one look and repairs", ["--only", "port", "--fix"], /leave --only out/],
    ] as const) {
      test(`with ${what} are wrong`, async (t) => {
        const line = await homeWith(t);
        assert.match((await exits(2, line.clawkit("doctor", ...args))).stderr, message);
      });
    }
  });

  describe("on a gateway that is well", () => {
    let clawkit: TestClawkit;
    before(async () => {
      clawkit = await TestClawkit.run();
    });
    after(() => clawkit[Symbol.asyncDispose]());

    test("says so in two lines, and what it cannot see from here", async () => {
      const result = await exits(0, clawkit.cli("doctor"));
      const lines = result.stdout.trimEnd().split("\n");
      assert.deepEqual([lines.length, lines[0]], [3, `Healthy: ${clawkit.url} is served`]);
      assert.match(lines[2]!, /out of sight .*run clawkit probe <url> where the client is/);
    });

    test("says so in JSON, without a cause, a finding or a secret", async () => {
      const result = await exits(0, clawkit.cli("doctor", "--json", "--verbose"));
      const { ok, verdict, causes, findings, next } = json<Report>(result);
      assert.deepEqual(
        { ok, verdict, causes, findings, next },
        { ok: true, verdict: "healthy", causes: [], findings: [], next: null },
      );
      assert.ok(!said(result).includes(TOKEN));
    });

    test("has nothing to repair", async () => {
      const { verdict, repairs } = json<Report>(
        await exits(0, clawkit.cli("doctor", "--fix", "--yes", "--json")),
      );
      assert.deepEqual([verdict, repairs], ["healthy", []]);
    });

    test("says so to a client that was given its address", async (t) => {
      const line = await homeWith(t);
      const result = await exits(0, line.clawkit("doctor", "--url", clawkit.url));
      assert.equal(firstLine(result), `Healthy: ${clawkit.url} is served`);
    });

    test("tells a client that was given another port", async () => {
      const address = `ws://127.0.0.1:${await freePort()}`;
      const { causes } = json<Report>(await exits(1, clawkit.cli("doctor", "--json", "--url", address)));
      assert.deepEqual([causes[0]?.id, causes[0]?.verdict], ["wrong-url-or-port", "confirmed"]);
    });
  });

  describe("where everything was killed", { skip: needsProc }, () => {
    test("says what it can know, changes nothing in a dry run, and starts it again", async (t) => {
      const clawkit = await created(t);
      await clawkit.runForeground();
      await clawkit.ready();
      await killAll(clawkit);

      const report = json<Report>(await exits(1, clawkit.cli("doctor", "--json")));
      assert.deepEqual([report.causes[0]?.id, report.verdict], ["ended-without-record", "likely"]);
      assert.equal(report.next, "clawkit doctor --fix");

      const planned = await exits(1, clawkit.cli("doctor", "--fix", "--dry-run"));
      assert.match(planned.stdout, new RegExp(`^would: start the gateway on port ${clawkit.port}$`, "m"));
      assert.deepEqual(await processesOf(clawkit.stateDir), []);
      assert.ok(!(await readdir(clawkit.stateDir)).includes("repairs"));

      const fixed = await exits(0, openclaw(clawkit, "doctor", "--repair", "--non-interactive"));
      assert.match(fixed.stdout, new RegExp(`^done: start the gateway on port ${clawkit.port}$`, "m"));
      assert.match(fixed.stdout, /^ {2}it helped$/m);
      assert.equal((await clawkit.status()).state, "healthy");

      const { verdict, causes, findings } = json<Report>(await exits(0, clawkit.cli("doctor", "--json")));
      assert.deepEqual([verdict, causes[0]?.id, findings], ["healthy", "ended-without-record", []]);
    });
  });

  test("openclaw doctor --lint --json has what its scripts read, and changes nothing", async (t) => {
    const line = await homeWith(t, VALID);
    const report = json<Report>(await exits(1, line.openclaw("doctor", "--lint", "--json")));
    assert.equal(report.ok, false);
    assert.ok(report.checksRun > 0);
    assert.equal(report.findings[0]?.checkId, "clawkit/not-listening");
    for (const { checkId, severity, message } of report.findings) {
      assert.match(checkId, /^clawkit\//);
      assert.match(severity, /^(error|warning|info)$/);
      assert.notEqual(message, "");
    }
    assert.equal(report.next, "openclaw doctor --fix");
    assert.deepEqual(await readdir(line.paths.stateDir), ["config.json5"]);
  });

  describe("on a config that is broken", () => {
    const BROKEN = `// mine\r\n{ gateway: { auth: { token: "${TOKEN}" \n`;

    test("asks before it restores one: without --yes and a terminal that is a no", async (t) => {
      const line = await homeWith(t, BROKEN);
      await writeFile(line.paths.lastValidConfig, VALID);
      const declined = await exits(1, line.clawkit("doctor", "--fix"));
      assert.match(
        declined.stdout,
        /^not done: restore the last valid config .* \(disruptive: give --yes to allow it\)$/m,
      );
      const report = json<Report>(await exits(1, line.clawkit("doctor", "--fix", "--json")));
      assert.deepEqual([report.causes[0]?.id, report.verdict], ["config-invalid", "confirmed"]);
      assert.deepEqual(outcomes(report), ["restore-config declined"]);
      assert.equal(await line.readConfig(), BROKEN);
    });

    test("shows no secret of it, nor of the one it would restore", async (t) => {
      const line = await homeWith(t, BROKEN);
      await writeFile(line.paths.lastValidConfig, VALID);
      const runs = [["--json", "--verbose"], ["--dry-run"], ["--dry-run", "--json"]];
      for (const result of await Promise.all(runs.map((args) => line.clawkit("doctor", ...args)))) {
        assert.ok(!said(result).includes(TOKEN), said(result));
      }
    });

    test("restores it and starts, and undo brings back every byte", async (t) => {
      const clawkit = await created(t);
      const { config, lastValidConfig } = statePaths(clawkit.stateDir);
      await writeFile(lastValidConfig, await readFile(config), { mode: 0o600 });
      await writeFile(config, BROKEN, { mode: 0o600 });
      const report = json<Report>(await exits(0, openclaw(clawkit, "doctor", "--fix", "--yes", "--json")));
      assert.equal(report.verdict, "healthy");
      assert.deepEqual(outcomes(report), ["restore-config applied", "start applied"]);
      assert.ok(report.repairs?.every(({ helped }) => helped));
      const entries = json<{ id: string; repair: string; state: string }[]>(
        await exits(0, clawkit.cli("doctor", "undo", "--list", "--json")),
      );
      assert.deepEqual(
        entries.map(({ repair, state }) => `${repair} ${state}`),
        ["start done", "restore-config done"],
      );
      assert.equal(entries[1]?.id, report.repairs?.[0]?.ledgerId);
      const undone = await exits(0, clawkit.cli("doctor", "undo"));
      assert.match(undone.stdout, /^Undone: restore the last valid config/);
      assert.equal(await readFile(config, "utf8"), BROKEN);
      assert.equal((await stat(config)).mode & 0o777, 0o600);
    });
  });

  test("names a foreign program on the port, no secret of its arguments, and leaves it alone", {
    skip: needsProc,
  }, async (t) => {
    const line = await homeWith(t, VALID);
    const script = `require("net").createServer((socket) => socket.end("220 mail\\r\\n"))
      .listen(${line.port}, "127.0.0.1", () => console.log("on"))`;
    const secret = "abcdefgh12345678";
    const child = spawn(process.execPath, ["-e", script, "--", "openclaw-gateway", "--token", secret]);
    t.after(() => child.kill("SIGKILL"));
    await once(child.stdout, "data");
    const result = await exits(1, line.clawkit("doctor", "--fix", "--yes", "--json", "--verbose"));
    const { causes } = json<Report>(result);
    assert.deepEqual([causes[0]?.id, causes[0]?.verdict], ["port-conflict", "confirmed"]);
    assert.ok(said(result).includes(`pid ${child.pid}`));
    assert.ok(!said(result).includes(secret), said(result));
    assert.equal(child.exitCode ?? child.signalCode, null);
  });
});
