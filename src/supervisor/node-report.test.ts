import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  collectReport,
  heapOf,
  type NodeReport,
  parseReport,
  removeStrayReports,
  summarizeReport,
  withReports,
} from "./node-report.ts";

async function reportFolder(name = "reports") {
  const root = await mkdtemp(join(tmpdir(), "clawkit-reports-"));
  const path = join(root, name);
  await mkdir(path);
  return {
    path,
    names: () => readdir(path),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  };
}

interface Died {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: string | null;
}

/** Runs a Node as the supervisor would, to its end. */
async function run(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Died> {
  const { NODE_OPTIONS: _, ...own } = process.env;
  const child = spawn(process.execPath, args, {
    env: { ...own, ...env, NODE_OPTIONS: withReports(env.NODE_OPTIONS, folder) },
    stdio: "ignore",
  });
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  return { pid: child.pid!, code, signal };
}

/** The report of a program of one file. */
async function reportOf(folder: string, source: string, ...options: string[]): Promise<NodeReport> {
  const program = join(folder, "..", "program.mjs");
  await writeFile(program, source);
  const { pid } = await run(folder, [...options, program]);
  const report = await collectReport(folder, pid);
  assert.ok(report !== undefined, "it left no report");
  return report;
}

describe("withReports", () => {
  test("asks for reports of errors and exceptions, in the folder", () => {
    const options = withReports(undefined, "/state/run/reports");
    assert.match(options, /--report-on-fatalerror/);
    assert.match(options, /--report-uncaught-exception/);
    assert.match(options, / --report-directory=\/state\/run\/reports /);
    assert.equal(withReports("", "/state/run/reports"), options);
  });

  test("keeps the user's own options, before ours", () => {
    const own = "--max-old-space-size=512 --import tsx";
    assert.equal(withReports(own, "/r"), `${own} ${withReports(undefined, "/r")}`);
  });

  for (const own of ["--report-on-signal", "--inspect=9230", "--max-old-space-size=9 --inspect-brk"]) {
    test(`leaves a user alone who has ${own}`, () => assert.equal(withReports(own, "/r"), own));
  }

  for (const name of ["with a space", 'with "quotes"', "with \\ backslash"]) {
    test(`Node finds a folder ${name}`, async () => {
      await using folder = await reportFolder(name);
      const { pid, code } = await run(folder.path, ["-e", "throw new Error('x')"]);
      assert.equal(code, 1);
      assert.ok((await collectReport(folder.path, pid)) !== undefined, "it left no report");
    });
  }

  test("Node takes both the user's options and ours", async () => {
    await using folder = await reportFolder("with a space");
    const source =
      "if (!process.execArgv || process.throwDeprecation !== true) process.exit(9); throw new Error('x')";
    const { pid, code } = await run(folder.path, ["-e", source], { NODE_OPTIONS: "--throw-deprecation" });
    assert.equal(code, 1, "the user's option was lost");
    assert.ok((await collectReport(folder.path, pid)) !== undefined, "ours were lost");
  });

  test("a child that ends well leaves nothing", async () => {
    await using folder = await reportFolder();
    assert.equal((await run(folder.path, ["-e", "0"])).code, 0);
    assert.deepEqual(await folder.names(), []);
  });
});

describe("parseReport", () => {
  test("leaves out the environment, the command line and the network", async () => {
    await using folder = await reportFolder();
    const { pid } = await run(folder.path, ["-e", "throw new Error('x')", "tok-on-the-line"], {
      SECRET_OF_MINE: "tok-in-the-env",
    });
    const report = await collectReport(folder.path, pid);
    const header = report!.header as object;
    for (const name of ["environmentVariables", "userLimits", "sharedObjects"])
      assert.ok(!(name in report!), name);
    for (const name of ["commandLine", "networkInterfaces"]) assert.ok(!(name in header), name);
    assert.doesNotMatch(JSON.stringify(report), /tok-in-the-env|tok-on-the-line/);
    assert.equal((report!.header as { processId: number }).processId, pid);
  });

  for (const text of ["", "{", '{"header": {"event"']) {
    test(`takes ${JSON.stringify(text)} for none: it is not whole`, () =>
      assert.equal(parseReport(text), undefined));
  }

  test("reads one without a header", () => {
    assert.deepEqual(summarizeReport(parseReport("{}")!), { trigger: "", event: "", message: "" });
  });
});

describe("summarizeReport, of a real Node that died of", { concurrency: 2 }, () => {
  const later = (what: string) => `setTimeout(() => { ${what} }, 1);`;
  const deaths: Record<string, readonly [source: string, event: string, message: RegExp]> = {
    "an exception": [later("throw new Error('boom')"), "Exception", /^Error: boom$/],
    "a thrown string": [later("throw 'boom'"), "Exception", /^boom$/],
    "a throw at the top of a module": ["throw new TypeError('top')", "Exception", /^TypeError: top$/],
    "a rejection with an Error": [
      later("Promise.reject(new Error('boom'))"),
      "unhandled promise rejection",
      /^Error: boom$/,
    ],
    "a rejection with a string": [
      later("Promise.reject('boom')"),
      "unhandled promise rejection",
      /^UnhandledPromiseRejection: .*"boom"/,
    ],
    "an async function that throws": [
      later("(async () => { await null; throw new RangeError('late') })()"),
      "unhandled promise rejection",
      /^RangeError: late$/,
    ],
  };
  for (const [what, [source, event, message]] of Object.entries(deaths)) {
    test(what, async () => {
      await using folder = await reportFolder();
      const summary = summarizeReport(await reportOf(folder.path, source));
      assert.equal(summary.trigger, "Exception");
      assert.equal(summary.event, event);
      assert.match(summary.message, message);
    });
  }

  // So V8 runs with less than 4 GB of memory, or with a small heap: its builtins are not copied into the heap.
  test("a rejection, where V8's builtins stay in the program", {}, async () => {
    await using folder = await reportFolder();
    const source = later("Promise.reject(new Error('boom'))");
    const report = await reportOf(folder.path, source, "--no-short-builtin-calls");
    assert.equal(summarizeReport(report).event, "unhandled promise rejection");
  });

  test("an exception, where V8's builtins stay in the program", async () => {
    await using folder = await reportFolder();
    const report = await reportOf(folder.path, later("throw new Error('boom')"), "--no-short-builtin-calls");
    assert.equal(summarizeReport(report).event, "Exception");
  });

  test("its heap's limit", async () => {
    await using folder = await reportFolder();
    const greedy = "const kept = []; while (true) kept.push(new Array(100_000).fill(kept.length));";
    const report = await reportOf(folder.path, greedy, "--max-old-space-size=20");
    const { trigger, event } = summarizeReport(report);
    assert.equal(trigger, "OOMError");
    assert.match(event, /heap out of memory/);
    const heapBytes = heapOf(report)!;
    assert.ok(heapBytes > 10e6 && heapBytes < 60e6, `${heapBytes} is not about 20 MB`);
  });
});

describe("collectReport", () => {
  const name = (pid: number, sequence = 1) => `report.20261122.140322.${pid}.0.00${sequence}.json`;

  test("takes the process's own report out of the folder, and leaves others", async () => {
    await using folder = await reportFolder();
    for (const pid of [42, 142, 421]) await writeFile(join(folder.path, name(pid)), `{"n":${pid}}`);
    assert.equal((await collectReport(folder.path, 42))?.n, 42);
    assert.deepEqual((await folder.names()).sort(), [name(142), name(421)].sort());
    assert.equal(await collectReport(folder.path, 42), undefined, "it is taken");
  });

  test("takes the last of several", async () => {
    await using folder = await reportFolder();
    for (const n of [1, 2, 3]) await writeFile(join(folder.path, name(42, n)), `{"n":${n}}`);
    assert.equal((await collectReport(folder.path, 42))?.n, 3);
  });

  test("a half-written one is none, and gone", async () => {
    await using folder = await reportFolder();
    await writeFile(join(folder.path, name(42)), '{"header": {');
    assert.equal(await collectReport(folder.path, 42), undefined);
    await assert.rejects(access(join(folder.path, name(42))), { code: "ENOENT" });
  });

  test("of others is removed after 10 s: nobody collects it, and an environment is in it", async () => {
    await using folder = await reportFolder();
    await writeFile(join(folder.path, name(100)), "{}");
    await removeStrayReports(folder.path, Date.now());
    assert.equal((await folder.names()).length, 1);
    await removeStrayReports(folder.path, Date.now() + 11_000);
    assert.deepEqual(await folder.names(), []);
  });

  test("a folder that is not there holds none", async () => {
    assert.equal(await collectReport(join(tmpdir(), "clawkit-no-such-folder"), 1), undefined);
  });
});
