import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { statePaths } from "../../src/config/paths.ts";
import type { Status } from "../../src/core/control.ts";
import { whyNotInstalled } from "../faults/openclaw-install.ts";
import { OpenclawLab, whyNoOpenclaw } from "../faults/openclaw-lab.ts";
import { startBrowser, whyNoBrowser } from "../helpers/browser.ts";
import { type CommandResult, until } from "../helpers/clawkit.ts";
import { asDevice } from "../helpers/device.ts";
import { type Outage, outageOf } from "../helpers/outage.ts";
import { ReferenceClient } from "../helpers/reference-client.ts";
import { Refusals } from "../helpers/refusals.ts";
import { exits, json } from "../helpers/results.ts";

// The real OpenClaw, put behind the edge and taken back. Its command line takes seconds for each command.

const skip = process.env.CI ? false : whyNoOpenclaw() || whyNotInstalled();

/**
 * From the gateway's readiness to a client's hello, without what a handshake takes there by itself. It is printed: 70 to
 * 370 ms on a quiet machine, up to 830 ms beside other tests. The bound is a client's second try of its own backoff.
 */
const MAX_LATE_MS = 2_000;

/** From OpenClaw's last moment at its port to the edge's first: printed, 4 to 16 ms on a quiet machine. */
const MAX_REFUSED_MS = 500;

/** The playbook's own commands, without their waits for a person. */
const SEVEN = {
  start: ["gateway", "start"],
  stop: ["gateway", "stop"],
  restart: ["gateway", "restart"],
  status: ["gateway", "status"],
  logs: ["logs", "--follow"],
  doctor: ["doctor", "--non-interactive"],
  fix: ["doctor", "--fix", "--non-interactive"],
} as const;

describe("an OpenClaw that is adopted", { skip, concurrency: false }, () => {
  let lab: OpenclawLab;
  let client: ReferenceClient;
  let configBefore: Buffer;
  const profile = () => join(lab.home, ".bashrc");
  const paths = () => statePaths(lab.env.CLAWKIT_STATE_DIR!);
  const gatewayStatus = async () => json<Status>(await lab.clawkit("gateway", "status", "--json"));
  const gatewayPid = async () => (await gatewayStatus()).gateway.pid!;

  before(async () => {
    lab = await OpenclawLab.create();
    await lab.ownAccount();
    await lab.writeConfig({ bind: "loopback" });
    const { env } = lab.hooked();
    await lab.writeCommand(env!);
    await writeFile(profile(), "alias ll='ls -l'"); // no line end
    configBefore = await readFile(lab.configPath);
    await lab.run();
  });
  after(async () => {
    await client?.stop();
    await lab?.[Symbol.asyncDispose]();
  });

  test("before: what the playbook's commands do with a gateway in a terminal", async (t) => {
    const seen = await tryCommands(lab);
    t.diagnostic(`before: ${JSON.stringify(seen)}`);
    assert.deepEqual(seen, SEEN);
  });

  test("--dry-run and a missing yes change nothing", async () => {
    const plan = json<{ state: string; stops: number[] }>(
      await exits(0, lab.clawkit("adopt", "--dry-run", "--json")),
    );
    assert.equal(plan.state, "planned");
    assert.equal(plan.stops.length, 1);
    await exits(1, lab.clawkit("adopt", "--json"));
    await assert.rejects(stat(lab.env.CLAWKIT_STATE_DIR!), { code: "ENOENT" });
    assert.deepEqual(await readFile(lab.configPath), configBefore);
    assert.equal(await lab.isReady(), true);
  });

  test("is served by the edge on its own port, with its config as it was", async (t) => {
    const refusals = new Refusals(lab.port);
    const adopted = json<{ state: string; wrapper: string }>(
      await exits(0, lab.clawkit("adopt", "--yes", "--json")).finally(() => refusals[Symbol.asyncDispose]()),
    );
    t.diagnostic(`nobody was at its port for ${Math.round(refusals.longestMs)} ms`);
    assert.ok(refusals.taken > 0 && refusals.longestMs < MAX_REFUSED_MS, `${refusals.longestMs} ms`);
    assert.equal(adopted.state, "adopted");
    assert.match(adopted.wrapper, /adopted-bin/);
    assert.deepEqual(await readFile(lab.configPath), configBefore);
    client = await ReferenceClient.connect(lab.url, lab.token, asDevice());
    assert.deepEqual([client.closes, client.connectErrors], [[], []]);
    assert.match((await exits(1, lab.clawkit("adopt"))).stdout, /behind ClawKit already/);
  });

  test("the playbook's commands work through the edge, or say why not", async (t) => {
    const seen = await tryLooking(lab);
    t.diagnostic(`adopted: ${JSON.stringify(seen)}`);
    const { restart: _, ...expected } = SEEN; // that one is an outage: it follows
    assert.deepEqual(seen, expected);
    assert.deepEqual(client.closes, []);
  });

  const outages: [name: string, begin: () => Promise<unknown>][] = [
    ["killed", async () => process.kill(await gatewayPid(), "SIGKILL")],
    ["restarted by openclaw gateway restart", () => lab.openclaw(...SEVEN.restart)],
    ["restarted by clawkit gateway restart", () => lab.clawkit("gateway", "restart")],
    ["ended by openclaw gateway stop --force", () => lab.openclaw(...SEVEN.stop, "--force")],
    ["stopped (SIGSTOP)", async () => process.kill(await gatewayPid(), "SIGSTOP")],
  ];
  for (const [name, begin] of outages) {
    test(`${name}: its clients are told once, wait, and are back as it is ready`, async (t) => {
      const outage = await outageOf(client, lab.port, begin);
      const { awayMs, lateMs } = outage;
      const handshakeMs = await handshakeWithout(lab);
      t.diagnostic(
        `${name}: away ${awayMs} ms, hello ${lateMs} ms after it was ready (a handshake without the edge: ${handshakeMs} ms)`,
      );
      assertSilent(outage, handshakeMs);
    });
  }

  test("busy for 60 s: nobody is disconnected", async (t) => {
    const [closes, events] = [client.closes.length, client.events.length];
    await lab.goWrong("spin-60s");
    const startedAt = performance.now();
    await until(async () => (await lab.isSilent()) || undefined);
    await until(async () => (await lab.isReady()) || undefined, 120_000);
    t.diagnostic(`busy for ${Math.round((performance.now() - startedAt) / 1000)} s`);
    assert.ok(performance.now() - startedAt > 55_000, "it was not busy");
    assert.deepEqual(client.closes.slice(closes), []);
    const ticks = client.events.slice(events).filter(({ event }) => event === "tick");
    assert.ok(ticks.length >= 2, "nothing told the client that it is served");
    await client.request("health");
  });

  test("stopped by ClawKit, and started by openclaw in a shell of its user", async () => {
    const path = `${paths().adoptedBinDir}:${lab.env.PATH}`;
    const inShell = (...args: string[]) => lab.output(["openclaw", ...args], { env: { PATH: path } });
    await exits(0, inShell(...SEVEN.stop));
    assert.equal((await gatewayStatus()).state, "stopped");
    await exits(0, inShell(...SEVEN.start));
    const { state } = await gatewayStatus();
    assert.equal(state, "healthy");
    assert.match((await exits(0, inShell("--version"))).stdout, /OpenClaw/i);
  });

  describe("in a browser", { skip: process.env.CI ? false : whyNoBrowser() }, () => {
    let browser: Browser;
    before(async () => {
      browser = await startBrowser();
    });
    after(() => browser?.close());

    test("the Control UI loads, the waiting page stands in for it, and goes by itself", async (t) => {
      const page = await browser.newPage();
      const sockets: string[] = [];
      page.on("websocket", (socket) => {
        sockets.push(socket.url());
      });
      const url = `http://127.0.0.1:${lab.port}/`;
      await page.goto(`${url}#token=${lab.token}`, { timeout: 120_000 });
      const ui = page.locator("openclaw-app");
      await ui.waitFor({ state: "attached", timeout: 120_000 });
      await until(() => sockets.length > 0 || undefined, 60_000);
      const opened = sockets.length;
      await exits(0, lab.asked(...SEVEN.stop, "--force"));
      const away = await browser.newPage();
      const answer = await until(async () => {
        const got = await away.goto(url, { timeout: 60_000 });
        return got?.status() === 503 ? got : undefined;
      }, 60_000);
      assert.match((await answer.headerValue("content-security-policy")) ?? "", /default-src 'none'/);
      assert.match((await away.textContent("h1")) ?? "", /away/);
      const startedAt = performance.now();
      await away.locator("openclaw-app").waitFor({ state: "attached", timeout: 180_000 });
      await until(() => sockets.length > opened || undefined, 60_000);
      t.diagnostic(`the waiting page went after ${Math.round(performance.now() - startedAt)} ms`);
    });
  });

  test("is as it was before after adopt --undo, byte for byte", async (t) => {
    await client.stop();
    const undone = json<{ started: boolean }>(await exits(0, lab.clawkit("adopt", "--undo", "--json")));
    assert.equal(undone.started, true);
    assert.deepEqual(await readFile(lab.configPath), configBefore);
    assert.equal(await readFile(profile(), "utf8"), "alias ll='ls -l'");
    for (const path of [paths().config, paths().lastValidConfig, paths().adoptedBinDir])
      await assert.rejects(stat(path), { code: "ENOENT" }, path);
    await until(async () => (await lab.isReady()) || undefined, 120_000);
    await using plain = await ReferenceClient.connect(lab.url, lab.token);
    assert.equal(plain.closes.length, 0);
    const { report } = await lab.doctor();
    assert.equal(report.verdict, "healthy", JSON.stringify(report, null, 2));
    const seen = await tryCommands(lab);
    t.diagnostic(`after: ${JSON.stringify(seen)}`);
    assert.deepEqual(seen, SEEN);
    assert.deepEqual(await readFile(lab.configPath), configBefore);
  });
});

/** What a handshake takes with the gateway itself, as busy as it, and this machine, are. */
async function handshakeWithout(lab: OpenclawLab): Promise<number> {
  const texts = await Promise.all(
    (await lab.locks()).map((path) => readFile(path, "utf8").catch(() => "{}")),
  );
  const ports = texts.map((text) => (JSON.parse(text) as { port?: number }).port);
  const port = ports.find((one) => one !== undefined);
  const startedAt = performance.now();
  await using _client = await ReferenceClient.connect(`ws://127.0.0.1:${port}`, lab.token);
  return Math.round(performance.now() - startedAt);
}

function assertSilent({ closes, errors, lateMs }: Outage, handshakeMs: number): void {
  assert.deepEqual(
    closes.map(({ code }) => code),
    [1012],
  );
  assert.deepEqual(
    errors.filter((text) => /1006|ECONNREFUSED|ECONNRESET/.test(text)),
    [],
  );
  assert.ok(lateMs - handshakeMs <= MAX_LATE_MS, `hello came ${lateMs} ms after the gateway was ready`);
}

/**
 * Exit codes of the seven, before, after and behind the edge: there is no service that `start` could start, `stop` needs
 * --force where nobody can say yes, and `doctor --fix` refuses while a gateway runs.
 */
const SEEN = { status: 0, start: 1, stop: 1, logs: "prints", doctor: 0, fix: 1, restart: 0 };

async function tryCommands(lab: OpenclawLab): Promise<Record<string, number | string | null>> {
  const seen = await tryLooking(lab);
  const { code } = await lab.asked(...SEVEN.restart);
  await until(async () => (await lab.isReady()) || undefined, 120_000);
  return { ...seen, restart: code };
}

/** Those that end no gateway. */
async function tryLooking(lab: OpenclawLab): Promise<Record<string, number | string | null>> {
  const { restart: _restart, logs: _logs, ...others } = SEVEN;
  const codes = Object.entries(others).map(async ([name, args]) => [name, (await lab.asked(...args)).code]);
  return Object.fromEntries(await Promise.all([...codes, followed(lab).then((said) => ["logs", said])]));
}

async function followed(lab: OpenclawLab): Promise<string> {
  const { stdout } = (await lab.output([
    "sh",
    "-c",
    "openclaw logs --follow | head -n 1",
  ])) satisfies CommandResult;
  return stdout.trim() === "" ? "is silent" : "prints";
}
