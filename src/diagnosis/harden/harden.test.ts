import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { hostWith, machineWith, stoppedStatus } from "../../../test/helpers/machine.ts";
import { statePaths } from "../../config/paths.ts";
import type { ServiceFacts } from "../../host/types.ts";
import type { Machine } from "../machine.ts";
import { Ledger } from "../remedies/ledger.ts";
import type { Plan } from "../remedies/types.ts";
import { applyAdvice } from "./apply.ts";
import { harden } from "./index.ts";
import type { Advice } from "./types.ts";

const TOKEN = "a-token-of-more-than-22-characters";
const GB = 2 ** 30;

/** An installation of ours with this config, and what is said and done about it. */
class Installation {
  readonly machine: Machine;
  readonly path: string;
  readonly ledger: Ledger;

  private constructor(machine: Machine) {
    this.machine = machine;
    this.path = machine.paths.config;
    this.ledger = new Ledger(machine.paths.stateDir, () => Date.now());
  }

  static async with(t: TestContext, config: string, changes: Partial<Machine> = {}): Promise<Installation> {
    const folder = await mkdtemp(join(tmpdir(), "clawkit-harden-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const paths = statePaths(folder);
    await writeFile(paths.config, config, { mode: 0o600 });
    const own = { paths, hasOwnState: async () => true, isOpenClaw: async () => false };
    return new Installation(machineWith({ ...own, ...changes }));
  }

  async advice(id: string): Promise<Advice> {
    const found = (await harden(this.machine)).find((one) => one.id === id);
    assert.ok(found, `no advice ${id}`);
    return found;
  }

  /** Makes all changes that `consent` allows. */
  async apply(consent: (plan: Plan) => boolean) {
    return await applyAdvice(await harden(this.machine), {
      ledger: this.ledger,
      consent: async (plan) => consent(plan),
      progress: () => undefined,
      lookAgain: () => harden(this.machine),
    });
  }

  text(): Promise<string> {
    return readFile(this.path, "utf8");
  }

  async undoAll(): Promise<void> {
    for (const { state, repair } of await this.ledger.entries()) {
      if (state === "done" && repair === "harden") await this.ledger.undo(undefined);
    }
  }
}

const told = ({ state, current }: Advice) => `${state}: ${current}`;
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe("authentication", () => {
  test("without one, a token is offered, and made only with consent", async (t) => {
    const config = '{\n  // mine\n  gateway: { auth: { mode: "none" } },\n}\n';
    const here = await Installation.with(t, config);
    await chmod(here.path, 0o644);
    const advice = await here.advice("auth");
    assert.deepEqual([advice.state, advice.plan?.risk], ["change", "disruptive"]);
    assert.deepEqual(advice.plan?.diff, ['~ gateway.auth.mode: "none" → "token"', "+ gateway.auth.token"]);
    assert.match(advice.afterwards!, /read gateway\.auth\.token in .*config\.json5/);

    await here.apply((plan) => plan.risk === "safe");
    assert.doesNotMatch(await here.text(), /token/);
    await here.undoAll();

    await here.apply(() => true);
    const [, token] = /\/\/ mine[\s\S]*mode: "token"[\s\S]*token: "([\w-]{43})"/.exec(await here.text())!;
    assert.equal(await modeOf(here.path), 0o600);
    assert.ok(!JSON.stringify([await here.ledger.entries(), await harden(here.machine)]).includes(token!));
    await here.undoAll();
    assert.deepEqual([await here.text(), await modeOf(here.path)], [config, 0o644]);
  });

  test("a secret that can be guessed gives way to a random one, of the same kind", async (t) => {
    for (const kind of ["token", "password"]) {
      const here = await Installation.with(
        t,
        `{ gateway: { auth: { mode: "${kind}", ${kind}: "guess-me" } } }`,
      );
      const { plan, current } = await here.advice("auth");
      assert.match(current, /fewer than 22 characters/);
      await plan!.apply();
      assert.match(await here.text(), new RegExp(`mode: "${kind}", ${kind}: "[\\w-]{43}"`));
      assert.equal((await here.advice("auth")).state, "ok");
    }
  });

  test("a good token that is not in force is kept", async (t) => {
    const here = await Installation.with(t, `{ gateway: { auth: { mode: "none", token: "${TOKEN}" } } }`);
    await (await here.advice("auth")).plan!.apply();
    assert.match(await here.text(), new RegExp(`mode: "token", token: "${TOKEN}"`));
  });

  test("a variable that overrides the config is its operator's", async (t) => {
    const env = { OPENCLAW_GATEWAY_TOKEN: "short" };
    const here = await Installation.with(t, `{ gateway: { auth: { token: "${TOKEN}" } } }`, { env });
    const { state, command } = await here.advice("auth");
    assert.equal(state, "yours");
    assert.match(command!, /^OPENCLAW_GATEWAY_TOKEN overrides/);
  });

  test("of another gateway is its own", async (t) => {
    const here = await Installation.with(
      t,
      '{ gateway: { auth: { mode: "none" }, upstream: { type: "command", command: ["x"] } } }',
    );
    assert.equal((await here.advice("auth")).state, "ok");
  });
});

describe("an address beyond loopback without TLS", () => {
  const lan = (more = "") => `{ gateway: { bind: "lan", auth: { token: "${TOKEN}" }, ${more} } }`;

  test("is taken back to loopback with consent, and undone", async (t) => {
    const here = await Installation.with(t, lan());
    const { plan } = await here.advice("bind");
    assert.deepEqual([plan?.risk, plan?.diff], ["disruptive", ['~ gateway.bind: "lan" → "loopback"']]);
    assert.equal((await here.advice("tls")).state, "yours");
    await here.apply(() => true);
    assert.deepEqual(
      [told(await here.advice("bind")), (await here.advice("tls")).state],
      ["ok: loopback", "ok"],
    );
    await here.undoAll();
    assert.equal(await here.text(), lan());
  });

  test("is left in a container, to a proxy elsewhere, and with TLS", async (t) => {
    const container = await Installation.with(t, lan(), { isContainer: async () => true });
    assert.equal((await container.advice("bind")).state, "yours");
    const proxied = await Installation.with(t, lan('trustedProxies: ["10.0.0.0/8"]'));
    assert.equal((await proxied.advice("bind")).state, "yours");
    const tls = await Installation.with(t, lan('tls: { cert: "/c.pem", key: "/k.pem" }'));
    assert.deepEqual([(await tls.advice("bind")).state, (await tls.advice("tls")).state], ["ok", "ok"]);
  });
});

describe("memory", () => {
  const heap =
    (mb: number, more: Partial<Machine> = {}) =>
    (t: TestContext) =>
      Installation.with(
        t,
        `{ gateway: { auth: { token: "${TOKEN}" } }, supervisor: { heapMb: ${mb} } }`,
        more,
      );

  test("that is V8's own choice fits", async (t) => {
    const here = await Installation.with(t, `{ gateway: { auth: { token: "${TOKEN}" } } }`);
    assert.match(told(await here.advice("heap")), /^ok: V8's own choice of \d+ MB$/);
  });

  test("that the machine does not have is brought to what it has", async (t) => {
    const here = await heap(1_000_000)(t);
    await (await here.advice("heap")).plan!.apply();
    const now = Number(/heapMb: (\d+)/.exec(await here.text())![1]);
    assert.ok(now <= (totalmem() / 2 ** 20) * 0.6, `${now} MB`);
    assert.equal((await here.advice("heap")).state, "ok");
  });

  test("is that of the gateway's own cgroup", async (t) => {
    const gateway = { ...stoppedStatus().gateway, pid: 4711 };
    const host = hostWith({
      cgroupOf: async (pid) => (pid === 4711 ? "/group" : undefined),
      cgroupMemory: async () => ({ path: "/group", limitBytes: GB }),
    });
    const here = await heap(1000, { host, status: async () => stoppedStatus({ gateway }) })(t);
    const { plan, current } = await here.advice("heap");
    assert.equal(current, "1000 MB of 1024 MB");
    assert.deepEqual(plan?.diff, ["~ supervisor.heapMb: 1000 → 614"]);
  });

  test("that no gateway can live with is raised, also where NODE_OPTIONS says so", async (t) => {
    const env = { NODE_OPTIONS: "--max-old-space-size=100" };
    for (const here of [
      await heap(64)(t),
      await Installation.with(t, `{ gateway: { auth: { token: "${TOKEN}" } } }`, { env }),
    ]) {
      await (await here.advice("heap")).plan!.apply();
      assert.equal((await here.advice("heap")).state, "ok");
    }
  });
});

// harden ended with the config's raw error, and no word on what to do.
test("a config that is invalid is the advice, and what does not depend on it is still said", async (t) => {
  const here = await Installation.with(t, '{ gateway: { auth: { mode: "token" } } }');
  const { state, current, command } = await here.advice("config");
  assert.deepEqual([state, command], ["yours", "clawkit config validate"]);
  assert.match(current, /^gateway\.auth\.token is missing/);
  assert.equal((await here.advice("service")).state, "yours");
  assert.equal((await here.advice("permissions")).state, "ok");
});

describe("logs", () => {
  const config = (logs: string) => `{ gateway: { auth: { token: "${TOKEN}" } }, ${logs} }`;

  test("get bounds that fit the disk", async (t) => {
    const here = await Installation.with(
      t,
      config("recorder: { maxMb: 1 }, logs: { maxMb: 10000, keep: 100 }"),
    );
    const { plan } = await here.advice("log-bounds");
    assert.equal(plan?.risk, "safe");
    assert.match(plan!.diff!.join(), /^~ logs\.maxMb: 10000 → [\d.]+$/);
    await plan!.apply();
    assert.equal((await here.advice("log-bounds")).state, "ok");
  });

  test("that only fit with a smaller record ask first: it forgets", async (t) => {
    const here = await Installation.with(
      t,
      config("recorder: { maxMb: 100000 }, logs: { maxMb: 10000, keep: 100 }"),
    );
    const { plan } = await here.advice("log-bounds");
    assert.deepEqual([plan?.risk, plan?.diff?.length], ["disruptive", 2]);
    await plan!.apply();
    assert.equal((await here.advice("log-bounds")).state, "ok");
  });
});

test("an OpenClaw behind the edge is given its time before it is restarted", async (t) => {
  const upstream = (command: string) =>
    `{ gateway: { upstream: { type: "command", command: ["${command}", "gateway", "run"] } } }`;
  const here = await Installation.with(t, upstream("/usr/bin/openclaw"));
  assert.deepEqual((await here.advice("restart-policy")).plan?.diff, [
    "+ supervisor.hangRestartSec: 330",
    "+ supervisor.startTimeoutSec: 300",
  ]);
  await here.apply(() => false);
  assert.equal((await here.advice("restart-policy")).state, "ok");
  assert.equal((await (await Installation.with(t, upstream("other"))).advice("restart-policy")).state, "ok");
});

describe("services of a user", () => {
  const service = (changes: Partial<ServiceFacts>): Partial<Machine> => {
    const base = {
      manager: "systemd (user)",
      name: "clawkit.service",
      isRunning: true,
      state: "active",
    } as const;
    return { host: hostWith({ services: async () => [{ ...base, ...changes }] }) };
  };
  const config = `{ gateway: { auth: { token: "${TOKEN}" } } }`;

  test("that end with its session get linger, which undo takes away", async (t) => {
    const here = await Installation.with(t, config, service({ endsWithSession: true }));
    const { state, plan } = await here.advice("linger");
    assert.deepEqual([state, plan?.risk], ["change", "disruptive"]);
    assert.deepEqual(plan?.undo, [{ kind: "run", command: ["loginctl", "disable-linger", "u"] }]);
    assert.equal((await here.advice("service")).state, "ok");
  });

  test("that outlive it are well, and one that is switched off is none", async (t) => {
    const lingering = await Installation.with(t, config, service({ endsWithSession: false }));
    assert.equal((await lingering.advice("linger")).state, "ok");
    const off = service({ endsWithSession: true, switchedOff: "masked", isRunning: false });
    const here = await Installation.with(t, config, off);
    assert.ok((await harden(here.machine)).every(({ id }) => id !== "linger"));
    assert.equal(told(await here.advice("service")), "yours: clawkit.service is masked");
  });
});

describe("a real OpenClaw", () => {
  test("gets its mode, a token and closed folders with consent, and all of it is undone", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "clawkit-harden-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const dir = join(folder, ".openclaw");
    const path = join(dir, "openclaw.json");
    const config = '{\n  // theirs\n  "gateway": { "auth": { "mode": "none" } }\n}\n';
    await mkdir(dir, { mode: 0o755 });
    await writeFile(path, config);
    await chmod(path, 0o644);
    const here = await Installation.with(t, "", {
      hasOwnState: async () => false,
      isOpenClaw: async () => true,
      openclawDirs: [dir],
      openclawConfigPath: path,
    });
    const results = [...(await here.apply(({ risk }) => risk === "safe")).values()];
    assert.ok(results.every(({ outcome }) => outcome === "declined"));
    assert.equal(await readFile(path, "utf8"), config);

    await here.apply(() => true);
    assert.match(await readFile(path, "utf8"), /\/\/ theirs[\s\S]*mode": "token"[\s\S]*token: "[\w-]{43}"/);
    const left = (await harden(here.machine)).filter(({ state }) => state !== "ok");
    assert.deepEqual(
      left.map(({ id }) => id),
      ["openclaw-keepalive"],
    );
    await here.undoAll();
    assert.deepEqual(
      [await readFile(path, "utf8"), await modeOf(path), await modeOf(dir)],
      [config, 0o644, 0o755],
    );
  });
});

describe("applying", () => {
  const advice = (apply: () => Promise<void>): Advice => {
    const plan: Plan = { what: "change it", risk: "safe", apply };
    return { id: "one", title: "One", reason: "so", current: "old", state: "change", plan };
  };

  test("tells of a change that fails, and goes on", async (t) => {
    const here = await Installation.with(t, "");
    const [bad, good] = [advice(() => Promise.reject(new Error("no way"))), advice(async () => undefined)];
    const results = await applyAdvice([bad, good], {
      ledger: here.ledger,
      consent: async () => true,
      progress: () => undefined,
      lookAgain: async () => [{ ...good, state: "ok", current: "new" }],
    });
    assert.deepEqual(results.get(bad), { outcome: "failed", error: "no way" });
    const { ledgerId, ...made } = results.get(good)!;
    assert.deepEqual(made, { outcome: "applied", helped: true, now: "new" });
    const [entry] = await here.ledger.entries();
    assert.deepEqual([entry?.id, entry?.helped], [ledgerId, true]);
  });

  test("says when a change did not help", async (t) => {
    const here = await Installation.with(t, "");
    const one = advice(async () => undefined);
    const results = await applyAdvice([one], {
      ledger: here.ledger,
      consent: async () => true,
      progress: () => undefined,
      lookAgain: async () => [one],
    });
    assert.equal(results.get(one)?.helped, false);
    assert.equal((await here.ledger.entries())[0]?.helped, false);
  });
});
