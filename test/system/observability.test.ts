import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { causes } from "../../src/core/causes.ts";
import { collect, program, ROOT, TestClawkit, until } from "../helpers/clawkit.ts";
import { openClients } from "../helpers/clients.ts";
import { edgeMetrics, valueIn } from "../helpers/metrics.ts";

const FOLDER = join(ROOT, "deploy/observability");

const version = await promtool(["--version"]).catch((error: Error) => error);
const missing = version instanceof Error ? `promtool is not here: ${version.message}` : false;

test("CI has promtool", { skip: process.env.CI ? false : missing }, () => assert.equal(missing, false));

describe("what deploy/observability hands out", { concurrency: 2, timeout: 120_000 }, () => {
  let clawkit: TestClawkit;
  /** Of an edge on which everything has happened once. */
  let live: string;

  before(async () => {
    clawkit = await TestClawkit.run({ gateway: { upstream: { type: "command", command: program("echo") } } });
    const [client] = await openClients(1, clawkit.url);
    await client!.echo("hello");
    process.kill((await clawkit.status()).gateway.pid!, "SIGKILL");
    await client!.ended;
    live = await until(async () => {
      const text = await edgeMetrics(clawkit.port);
      const isBack = valueIn(text, "clawkit_gateway_recovery_seconds_count") === 1;
      return isBack && valueIn(text, "clawkit_connections_closed_total") === 1 ? text : undefined;
    });
  });
  after(() => clawkit?.[Symbol.asyncDispose]());

  test("promtool finds nothing to say about the metrics of a live edge", { skip: missing }, async () => {
    assert.deepEqual(await promtool(["check", "metrics"], live), { code: 0, said: "" });
  });

  for (const [file, ...args] of [
    ["alerts.yml", "check", "rules"],
    ["alerts.test.yml", "test", "rules"],
    ["prometheus.yml", "check", "config"],
  ] as const) {
    test(`promtool ${args.join(" ")} ${file}`, { skip: missing }, async () => {
      const { code, said } = await promtool([...args, file]);
      assert.equal(code, 0, said);
      assert.match(said, /SUCCESS/);
      assert.doesNotMatch(said, /FAILED|WARNING/i);
    });
  }

  test("every expression of the dashboard is one that Prometheus reads", { skip: missing }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "clawkit-observability-"));
    try {
      const rules = expressionsIn(JSON.parse(await text("dashboard.json"))).map((expression, i) => ({
        record: `dashboard:${i}`,
        expr: withoutVariables(expression),
      }));
      assert.ok(rules.length > 5, `only ${rules.length} expressions were found`);
      const path = join(folder, "rules.yml");
      await writeFile(path, JSON.stringify({ groups: [{ name: "dashboard", rules }] })); // JSON is YAML
      const { code, said } = await promtool(["check", "rules", path]);
      assert.equal(code, 0, said);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  for (const file of ["alerts.yml", "alerts.test.yml", "dashboard.json"]) {
    test(`every metric that ${file} names is one of a live edge`, async () => {
      const names = new Set((await text(file)).match(/\bclawkit_\w+/g));
      assert.ok(names.size > 0);
      const unknown = [...names].filter((name) => valueIn(live, name) === undefined && !isFamily(live, name));
      assert.deepEqual(unknown, []);
    });
  }

  test("labels that rules and dashboard go by are those of a live edge", async () => {
    const known = new Set([...live.matchAll(/[{,](\w+)="/g)].map(([, label]) => label!));
    const ofPrometheus = ["instance", "job"];
    for (const file of ["alerts.yml", "dashboard.json"]) {
      const content = await text(file);
      const grouped = [...content.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list]) => list!.split(/,\s*/));
      const matched = [...content.matchAll(/[{,]\s*(\w+)\s*(?:=~|!~|!=|=)\s*\\?"/g)].map(
        ([, label]) => label!,
      );
      const unknown = [...grouped, ...matched].filter(
        (label) => !known.has(label) && !ofPrometheus.includes(label),
      );
      assert.deepEqual(unknown, [], file);
    }
  });

  test("causes that rules and dashboard name are in the registry", async () => {
    for (const file of ["alerts.yml", "dashboard.json"]) {
      const named = [...(await text(file)).matchAll(/\bcause(?:=~|!~|!=|=)\\?"([^"\\]*)/g)].flatMap(
        ([, list]) => list!.split("|"),
      );
      assert.deepEqual(
        named.filter((cause) => !(cause in causes)),
        [],
        file,
      );
    }
  });

  test("the README lists every file", async () => {
    const readme = await text("README.md");
    const files = (await readdir(FOLDER)).filter((name) => name !== "README.md");
    assert.deepEqual(
      files.filter((name) => !readme.includes(`\`${name}\``)),
      [],
    );
  });
});

const text = (file: string) => readFile(join(FOLDER, file), "utf8");

/** A name of a `# TYPE` line: a family of which no series has been counted yet. */
function isFamily(live: string, name: string): boolean {
  return live.includes(`\n# TYPE ${name} `) || live.startsWith(`# TYPE ${name} `);
}

/** The PromQL expressions anywhere in a dashboard. */
function expressionsIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "expr" && typeof inner === "string" ? [inner] : expressionsIn(inner),
  );
}

/** As Grafana would fill them in. */
function withoutVariables(expression: string): string {
  return expression.replace(/\$__(rate_interval|interval|range)/g, "5m").replace(/\$\{?\w+\}?/g, "x");
}

/** Runs promtool in the folder; rejects where there is none. */
async function promtool(args: readonly string[], input = ""): Promise<{ code: number | null; said: string }> {
  const child = spawn("promtool", args, { cwd: FOLDER, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const { code, stdout, stderr } = await collect(child);
  return { code, said: stdout + stderr };
}
