import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { freePort, until } from "../helpers/clawkit.ts";
import { TestClient } from "../helpers/clients.ts";
import { exits, json } from "../helpers/results.ts";
import { CHECKOUT, type LabUser, NODE, SystemdLab, whyNoSystemd } from "../helpers/systemd-lab.ts";

const UNIT = "clawkit.service";
const TOKEN = "0123456789abcdef0123456789abcdef";
const MB = 2 ** 20;

const skip = process.env.CI ? false : whyNoSystemd();

test("CI boots a systemd", { skip: process.env.CI ? false : "this is not CI" }, () => {
  assert.equal(whyNoSystemd(), false);
});

describe("under a real systemd", { skip, concurrency: 2, timeout: 500_000 }, () => {
  let lab: SystemdLab;

  before(async () => {
    const startedAt = performance.now();
    lab = await SystemdLab.boot();
    console.log(`systemd booted in ${Math.round(performance.now() - startedAt)} ms`);
  });

  after(() => lab[Symbol.asyncDispose]());

  test("install: written, enabled, and started when clients are served", async () => {
    const ada = await Installation.create(lab, "ada");
    const planned = json<{ files: { text: string }[] }>(
      await exits(0, ada.user.clawkit("gateway", "install", "--dry-run", "--json")),
    );
    assert.match(planned.files[0]!.text, /^Type=notify$/m);
    assert.doesNotMatch(planned.files[0]!.text, new RegExp(TOKEN));
    assert.equal((await ada.show("LoadState")).LoadState, "not-found");

    const { stdout } = await exits(0, ada.user.clawkit("gateway", "install"));
    assert.match(stdout, /ends when ada logs out.*sudo loginctl enable-linger ada/s);
    assert.deepEqual(await ada.show("ActiveState", "UnitFileState", "StatusText"), {
      ActiveState: "active",
      UnitFileState: "enabled",
      StatusText: "clients are served",
    });
    assert.match((await exits(0, ada.user.clawkit("gateway", "install"))).stdout, /^It is installed already/);

    // a start that returns has clients served: the gateway is asked at once
    await exits(0, ada.user.systemctl("stop", UNIT));
    await exits(0, ada.user.systemctl("start", UNIT));
    assert.equal((await fetch(`http://127.0.0.1:${ada.port}/__clawkit__/readyz`)).status, 200);
    assert.match(await ada.journal(), /gateway ready: generation 2/);
    const { service } = json<{ service: object }>(
      await exits(0, ada.user.clawkit("gateway", "status", "--json")),
    );
    assert.deepEqual(service, {
      manager: "systemd (user)",
      name: UNIT,
      state: "active (running)",
      isRunning: true,
      definitionPath: `${ada.user.home}/.config/systemd/user/${UNIT}`,
    });
  });

  test("stop: clients are told 1012, and systemd does not start it again; start and restart --all go through it", async () => {
    const grace = await Installation.create(lab, "grace");
    await exits(0, grace.user.clawkit("gateway", "install"));
    const client = await grace.connect();
    assert.match((await exits(0, grace.user.clawkit("gateway", "stop"))).stdout, /is stopped/);
    assert.deepEqual(pick(await client.ended), {
      code: 1012,
      reason: "gateway stopped (SIGTERM to its supervisor)",
    });
    const { ActiveState, Result, NRestarts } = await grace.show("ActiveState", "Result", "NRestarts");
    assert.deepEqual(
      { ActiveState, Result, NRestarts },
      { ActiveState: "inactive", Result: "success", NRestarts: "0" },
    );

    await exits(0, grace.user.clawkit("gateway", "start"));
    const before = await grace.supervisor();
    const second = await grace.connect();
    await exits(0, grace.user.clawkit("gateway", "restart", "--all"));
    assert.equal((await second.ended).code, 1012);
    const now = await grace.supervisor();
    assert.notEqual(now, before, "the supervisor is the old one: an upgrade would not reach it");

    const third = await grace.connect();
    await exits(0, grace.user.clawkit("gateway", "restart"));
    assert.equal(third.socket.readyState, third.socket.OPEN, "a client of the built-in gateway noticed it");
    assert.equal(await grace.supervisor(), now);
  });

  test("a supervisor killed with -9: clients are told 1012, and it is back", async () => {
    const alan = await Installation.create(lab, "alan");
    await exits(0, alan.user.clawkit("gateway", "install"));
    const client = await alan.connect();
    const pid = await alan.supervisor();
    const killedAt = performance.now();
    await alan.signal("KILL");
    assert.equal((await client.ended).code, 1012);
    await alan.untilServed();
    console.log(`back ${Math.round(performance.now() - killedAt)} ms after kill -9 of the supervisor`);
    const { NRestarts, MainPID } = await alan.show("NRestarts", "MainPID");
    assert.equal(NRestarts, "1");
    assert.notEqual(MainPID, pid);
  });

  test("a config that is refused: exit 78, and it stays down until it is mended", async () => {
    const edsger = await Installation.create(lab, "edsger");
    await exits(0, edsger.user.clawkit("gateway", "install"));
    await exits(0, edsger.user.clawkit("gateway", "stop"));
    await edsger.writeConfig("{ gateway: { prot: 1 } }");
    const { code } = await edsger.user.systemctl("start", UNIT);
    assert.notEqual(code, 0);
    assert.deepEqual(await edsger.show("ActiveState", "ExecMainStatus", "NRestarts"), {
      ActiveState: "failed",
      ExecMainStatus: "78",
      NRestarts: "0",
    });
    assert.match((await exits(78, edsger.user.clawkit("gateway", "start"))).stderr, /gateway\.prot/);
    assert.match((await exits(78, edsger.user.clawkit("gateway", "install"))).stderr, /gateway\.prot/);
    await edsger.writeConfig();
    await exits(0, edsger.user.clawkit("gateway", "start"));
  });

  test("a gateway that refuses (78): the supervisor says so, and does not start it again", async () => {
    const command = [NODE, `${CHECKOUT}/test/fixtures/programs/exit-with.ts`, "78", "the key is missing"];
    const john = await Installation.create(lab, "john", { upstream: { type: "command", command } });
    const { stderr } = await exits(78, john.user.clawkit("gateway", "install"));
    assert.match(stderr, /refused to start.*the key is missing/);
    const { ActiveState, StatusText } = await john.show("ActiveState", "StatusText");
    assert.equal(ActiveState, "active");
    assert.match(StatusText!, /^not serving: .*the key is missing/);
  });

  test("watchdog: a supervisor that is stopped is replaced, one that runs is left alone", async () => {
    const donald = await Installation.create(lab, "donald");
    await exits(0, donald.user.clawkit("gateway", "install"));
    await donald.set("WatchdogSec=3", "TimeoutAbortSec=1");
    await exits(0, donald.user.systemctl("restart", UNIT));
    const pid = await donald.supervisor();
    const client = await donald.connect();
    // three times its limit: the beats come
    const since = performance.now();
    await until(() => performance.now() - since > 9_000 || undefined);
    assert.equal(await donald.supervisor(), pid);

    await donald.signal("STOP");
    assert.equal((await client.ended).code, 1012);
    await until(async () => (await donald.show("NRestarts")).NRestarts === "1" || undefined);
    await donald.untilServed();
    assert.match(await donald.journal(), /Watchdog timeout/);
  });

  test("start limit: however often it fails, it comes up once it can", async () => {
    const margaret = await Installation.create(lab, "margaret");
    await exits(0, margaret.user.clawkit("gateway", "install"));
    await exits(0, margaret.user.clawkit("gateway", "stop"));
    // faster than any limit that systemd has by default (5 starts within 10 s)
    await margaret.set("RestartSec=0");
    const other = createServer().listen(margaret.port, "127.0.0.1");
    await once(other, "listening");
    await margaret.user.systemctl("start", "--no-block", UNIT);
    await until(async () => Number((await margaret.show("NRestarts")).NRestarts) >= 8 || undefined, 60_000);
    other.close();
    await once(other, "close");
    await margaret.untilServed();
  });

  test("as a system service, with a memory limit: the kernel takes the gateway, and the supervisor starts another", async () => {
    const command = [NODE, `${CHECKOUT}/test/fixtures/programs/ends.ts`];
    const barbara = await Installation.create(lab, "barbara", { upstream: { type: "command", command } });
    const stateDir = `${barbara.user.home}/.clawkit`;
    const asRoot = (...args: string[]) =>
      lab.run(
        "env",
        "SUDO_USER=barbara",
        `CLAWKIT_STATE_DIR=${stateDir}`,
        NODE,
        `${CHECKOUT}/src/bin/clawkit.ts`,
        ...args,
      );
    await exits(0, asRoot("gateway", "install", "--system"));
    const limit = Number(await systemProperty(lab, "MemoryMax"));
    assert.ok(limit > 0.7 * (await totalMemory(lab)) && limit < 0.8 * (await totalMemory(lab)), `${limit}`);
    const pid = await systemProperty(lab, "MainPID");
    assert.match((await lab.run("ps", "-o", "user=", "-p", pid)).stdout, /^barbara$/m);

    await lab.run("systemctl", "set-property", "--runtime", UNIT, `MemoryMax=${400 * MB}`);
    const client = await barbara.connect();
    client.socket.send("take memory");
    assert.equal((await client.ended).code, 1012);
    await barbara.untilServed();
    assert.equal(await systemProperty(lab, "MainPID"), pid, "the whole unit was restarted");
    const { stdout } = await exits(0, barbara.user.clawkit("gateway", "status"));
    assert.match(stdout, /service +clawkit\.service \(systemd\)/);
    assert.match(stdout, /SIGKILL/);
    // whoever may not: is told what to do
    assert.match((await exits(1, barbara.user.clawkit("gateway", "stop"))).stderr, /sudo/);
    // it stopped a gateway with its clients without a question
    assert.match((await exits(2, asRoot("gateway", "uninstall"))).stderr, /Nothing was done/);
    await exits(0, asRoot("gateway", "uninstall", "--yes"));
    assert.equal(await systemProperty(lab, "LoadState"), "not-found");
  });

  test("an update shows what changes, keeps the old definition, and asks before it restarts", async () => {
    const niklaus = await Installation.create(lab, "niklaus");
    await exits(0, niklaus.user.clawkit("gateway", "install"));
    const before = await niklaus.supervisor();
    await niklaus.writeConfig(JSON.stringify({ ...niklaus.config(), supervisor: { stopGraceSec: 33 } }));
    const { stdout } = await exits(0, niklaus.user.clawkit("gateway", "install"));
    assert.match(stdout, /^ {2}- TimeoutStopSec=27$/m);
    assert.match(stdout, /^ {2}\+ TimeoutStopSec=50$/m);
    assert.match(stdout, /left as it is/);
    assert.equal(await niklaus.supervisor(), before);
    const backup = `${niklaus.user.home}/.config/systemd/user/${UNIT}.bak`;
    assert.match((await exits(0, niklaus.user.run("cat", backup))).stdout, /TimeoutStopSec=27/);

    assert.match(
      (await exits(0, niklaus.user.clawkit("gateway", "install", "--yes"))).stdout,
      /runs from boot on.*undo: loginctl disable-linger niklaus/,
    );
    assert.match((await lab.run("loginctl", "show-user", "niklaus")).stdout, /^Linger=yes$/m);
    const lingering = await exits(0, niklaus.user.clawkit("gateway", "install"));
    assert.doesNotMatch(lingering.stdout, /logs out/);
    await exits(0, niklaus.user.clawkit("gateway", "restart", "--all"));
    assert.notEqual(await niklaus.supervisor(), before);
  });

  test("uninstall leaves nothing but the state, and says so; with --state not even that", async () => {
    const ken = await Installation.create(lab, "ken");
    await exits(0, ken.user.run("touch", `${ken.user.home}/.bashrc`));
    await exits(
      0,
      ken.user.run("env", "SHELL=/bin/bash", NODE, `${CHECKOUT}/src/bin/clawkit.ts`, "alias", "on", "--yes"),
    );
    await exits(0, ken.user.clawkit("gateway", "install"));
    const client = await ken.connect();
    assert.match((await exits(2, ken.user.clawkit("uninstall"))).stderr, /Nothing was done/);
    const gone = await exits(
      0,
      ken.user.run("env", "SHELL=/bin/bash", NODE, `${CHECKOUT}/src/bin/clawkit.ts`, "uninstall", "--yes"),
    );
    assert.equal((await client.ended).code, 1012);
    assert.match(gone.stdout, /Left: \/home\/ken\/\.clawkit \(.*config\.json5/);
    assert.match(gone.stdout, /Removed our line from \/home\/ken\/\.bashrc/);
    assert.equal((await ken.show("LoadState")).LoadState, "not-found");
    await exits(0, ken.user.clawkit("uninstall", "--state", "--yes"));
    assert.notEqual((await ken.user.run("ls", `${ken.user.home}/.clawkit`)).code, 0);
  });

  test("refused: another gateway's unit runs, the port is taken, the user has no manager", async () => {
    const dennis = await Installation.create(lab, "dennis");
    const rival = `${dennis.user.home}/.config/systemd/user/openclaw-gateway.service`;
    await dennis.user.writeFile(
      rival,
      "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=default.target\n",
    );
    await exits(0, dennis.user.systemctl("enable", "--now", "openclaw-gateway"));
    assert.match(
      (await exits(1, dennis.user.clawkit("gateway", "install"))).stderr,
      /openclaw-gateway\.service.*runs a gateway/,
    );
    await exits(0, dennis.user.systemctl("stop", "openclaw-gateway"));
    // stopped, it would be back with the next boot
    assert.match(
      (await exits(1, dennis.user.clawkit("gateway", "install"))).stderr,
      /openclaw-gateway\.service.*starts a gateway.*systemctl --user disable --now openclaw-gateway/,
    );
    await exits(0, dennis.user.systemctl("disable", "openclaw-gateway"));

    const other = createServer().listen(dennis.port, "127.0.0.1");
    await once(other, "listening");
    assert.match(
      (await exits(1, dennis.user.clawkit("gateway", "install"))).stderr,
      new RegExp(`port ${dennis.port} is held by`),
    );
    other.close();
    await once(other, "close");
    assert.equal((await dennis.show("LoadState")).LoadState, "not-found");

    await exits(0, lab.run("systemctl", "stop", `user@${dennis.user.uid}`));
    assert.match((await exits(1, dennis.user.clawkit("gateway", "install"))).stderr, /enable-linger/);
  });
});

/** One user with a config, a port and, after install, a service. */
class Installation {
  readonly user: LabUser;
  readonly port: number;
  readonly #gateway: object;

  private constructor(user: LabUser, port: number, gateway: object) {
    this.user = user;
    this.port = port;
    this.#gateway = gateway;
  }

  static async create(lab: SystemdLab, name: string, gateway: object = {}): Promise<Installation> {
    const one = new Installation(await lab.addUser(name), await freePort(), gateway);
    await one.writeConfig();
    return one;
  }

  config() {
    return { gateway: { port: this.port, auth: { mode: "token", token: TOKEN }, ...this.#gateway } };
  }

  async writeConfig(text = JSON.stringify(this.config())): Promise<void> {
    await this.user.writeFile(`${this.user.home}/.clawkit/config.json5`, text);
  }

  show(...properties: string[]): Promise<Record<string, string>> {
    return this.user.show(UNIT, ...properties);
  }

  async supervisor(): Promise<string> {
    return (await this.show("MainPID")).MainPID!;
  }

  /** To the supervisor alone. */
  async signal(signal: string): Promise<void> {
    await exits(0, this.user.systemctl("kill", "--kill-who=main", `--signal=${signal}`, UNIT));
  }

  /** Settings of its user's own, in a drop-in. */
  async set(...settings: string[]): Promise<void> {
    const path = `${this.user.home}/.config/systemd/user/${UNIT}.d/test.conf`;
    await this.user.writeFile(path, `[Service]\n${settings.join("\n")}\n`);
    await exits(0, this.user.systemctl("daemon-reload"));
  }

  async connect(): Promise<TestClient> {
    const client = new TestClient(`ws://127.0.0.1:${this.port}`);
    await client.opened;
    return client;
  }

  async untilServed(): Promise<void> {
    const url = `http://127.0.0.1:${this.port}/__clawkit__/readyz`;
    await until(
      () =>
        fetch(url).then(
          ({ status }) => status === 200 || undefined,
          () => undefined,
        ),
      60_000,
    );
  }

  async journal(): Promise<string> {
    return (await this.user.lab.run("journalctl", "--no-pager", `_UID=${this.user.uid}`)).stdout;
  }
}

function pick({ code, reason }: { code: number; reason: string }) {
  return { code, reason };
}

async function systemProperty(lab: SystemdLab, name: string): Promise<string> {
  return (await lab.run("systemctl", "show", "--value", "--property", name, UNIT)).stdout.trim();
}

async function totalMemory(lab: SystemdLab): Promise<number> {
  const { stdout } = await lab.run("cat", "/proc/meminfo");
  return Number(/^MemTotal: +(\d+) kB$/m.exec(stdout)![1]) * 1024;
}
