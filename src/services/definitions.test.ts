import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { runCommand } from "../host/command.ts";
import { findOnPath } from "../host/path-search.ts";
import { checkSettings } from "./check-settings.ts";
import { launchdPlist } from "./launchd-plist.ts";
import { systemdUnit } from "./systemd-unit.ts";
import { isFor, MARK, type ServiceSettings } from "./types.ts";
import { windowsLauncher, windowsTask } from "./windows-task.ts";

const EXAMPLES = new URL("../../test/fixtures/services/", import.meta.url);

const linux: ServiceSettings = {
  node: "/usr/bin/node",
  entry: "/usr/local/bin/clawkit",
  stateDir: "/home/ada/.clawkit",
  logsDir: "/home/ada/.clawkit/logs",
  path: "/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/bin",
  variables: {},
  user: "ada",
  startSec: 130,
  stopSec: 27,
  memoryMaxBytes: 6 * 2 ** 30,
};

const mac: ServiceSettings = {
  ...linux,
  node: "/opt/homebrew/bin/node",
  entry: "/opt/homebrew/bin/clawkit",
  stateDir: "/Users/ada/.clawkit",
  logsDir: "/Users/ada/.clawkit/logs",
  path: "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin",
};

const windows: ServiceSettings = {
  ...linux,
  node: "C:\\Program Files\\nodejs\\node.exe",
  entry: "C:\\Users\\ada\\AppData\\Roaming\\npm\\node_modules\\clawkit\\dist\\clawkit.js",
  stateDir: "C:\\Users\\ada\\.clawkit",
  logsDir: "C:\\Users\\ada\\.clawkit\\logs",
  path: "C:\\Program Files\\nodejs;C:\\Windows\\system32;C:\\Windows",
  user: "MACHINE\\ada",
};

const LAUNCHER = "C:\\Users\\ada\\.clawkit\\service\\clawkit.vbs";

/** What paths may hold, and every format has its own rule for. */
const AWKWARD = `/home/a b/"q" & <t> %h $HOME 'x' ü--`;
const awkward: ServiceSettings = {
  ...linux,
  node: `${AWKWARD}/node`,
  entry: `${AWKWARD}/clawkit`,
  stateDir: AWKWARD,
  variables: { OPENCLAW_STATE_DIR: AWKWARD },
};

test("the definitions are the committed examples", async () => {
  const made = {
    "clawkit-user.service": systemdUnit("user", linux),
    "clawkit-system.service": systemdUnit("system", linux),
    "dev.clawkit.gateway.plist": launchdPlist(mac),
    "ClawKit.xml": windowsTask(windows, LAUNCHER),
    "clawkit.vbs": windowsLauncher(windows),
  };
  for (const [name, text] of Object.entries(made)) {
    assert.equal(text, await readFile(new URL(name, EXAMPLES), "utf8"), name);
  }
});

test("each says whose it is, for whatever path", () => {
  for (const settings of [linux, awkward]) {
    for (const text of [
      systemdUnit("user", settings),
      launchdPlist(settings),
      windowsTask(settings, LAUNCHER),
    ]) {
      assert.ok(text.includes(MARK));
      assert.equal(isFor(text, settings.stateDir), true, text);
      assert.equal(isFor(text, `${settings.stateDir}2`), false);
    }
  }
});

describe("systemd takes the units", async () => {
  const [analyze] = await findOnPath("systemd-analyze", process.env.PATH);
  const skip = analyze === undefined && !process.env.CI ? "there is no systemd-analyze here" : false;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "clawkit-units-"));
  });

  after(() => rm(folder, { recursive: true, force: true }));

  for (const scope of ["user", "system"] as const) {
    test(`${scope} unit, with an awkward path`, { skip }, async () => {
      // it looks whether the program is there, and takes no quotes in its name
      const odd = join(folder, "a b % $HOME <t> ü", scope);
      await mkdir(odd, { recursive: true });
      await copyFile("/bin/true", join(odd, "node"));
      const unit = join(odd, "clawkit.service");
      const settings = { ...awkward, node: join(odd, "node"), user: "root" };
      await writeFile(unit, systemdUnit(scope, settings));
      const environment = { XDG_RUNTIME_DIR: folder, XDG_CONFIG_HOME: folder };
      const scopes = scope === "user" ? ["--user"] : [];
      const args = [...scopes, "verify", "--recursive-errors=no", unit];
      // it complains on standard error, and exits with 0 for settings it does not know
      const shell = `"$0" "$@" 2>&1`;
      const limits = { environment, timeLimitMs: 30_000, mustSucceed: true };
      assert.equal(await runCommand("sh", ["-c", shell, analyze!, ...args], limits), "");
    });
  }
});

// A line end in CLAWKIT_STATE_DIR wrote a line of its own into the unit: ExecStartPre, as root with --system.
describe("a control character reaches no definition, in", () => {
  const odd = "/home/a\nExecStartPre=/bin/touch /pwned";
  const cases: readonly [what: string, settings: Partial<ServiceSettings>, home?: string][] = [
    ["the state directory", { stateDir: odd }],
    ["the state directory, a bell", { stateDir: "/home/a\x07" }],
    ["the name of the user", { user: "ada\nAmbientCapabilities=CAP_SYS_ADMIN" }],
    ["PATH", { path: odd }],
    ["the path of Node", { node: odd }],
    ["the path of ClawKit", { entry: odd }],
    ["a variable", { variables: { OPENCLAW_STATE_DIR: odd } }],
    ["HOME", {}, odd],
  ];
  for (const [what, changes, home = "/home/ada"] of cases) {
    test(what, () => {
      assert.throws(
        () => checkSettings({ ...linux, ...changes }, home),
        /Cannot make a service as .* control character.*Choose one without/,
      );
    });
  }

  test("and what has none is as it was, blanks and quotes and all", () => {
    assert.equal(checkSettings(awkward, "/home/a b"), awkward);
  });
});

test("a % in a name is no specifier of systemd's", () => {
  assert.match(systemdUnit("system", { ...linux, user: "100%h" }), /^User=100%%h$/m);
});

test("launchd's property list reads as it was meant", () => {
  assert.equal(XMLValidator.validate(launchdPlist(awkward)), true);
  const keys = plistOf(launchdPlist(awkward));
  assert.deepEqual(keys.ProgramArguments, [`${AWKWARD}/node`, `${AWKWARD}/clawkit`, "gateway", "run"]);
  assert.deepEqual(keys.EnvironmentVariables, {
    CLAWKIT_STATE_DIR: AWKWARD,
    PATH: linux.path,
    OPENCLAW_STATE_DIR: AWKWARD,
  });
  assert.deepEqual([keys.KeepAlive, keys.RunAtLoad, keys.ExitTimeOut, keys.Umask], [true, true, 27, 0o077]);
  assert.equal(keys.StandardErrorPath, "/home/ada/.clawkit/logs/service.log");
});

test("the Windows task reads as it was meant", () => {
  const xml = windowsTask({ ...windows, user: "R&D\\ada" }, LAUNCHER);
  assert.equal(XMLValidator.validate(xml), true);
  const { Task } = new XMLParser({ ignoreAttributes: true, parseTagValue: false }).parse(xml);
  assert.equal(Task.Principals.Principal.UserId, "R&D\\ada");
  assert.equal(Task.Actions.Exec.Arguments, `//B //NoLogo "${LAUNCHER}"`);
  const { Settings, Triggers } = Task;
  assert.equal(Settings.ExecutionTimeLimit, "PT0S");
  assert.equal(Settings.StopIfGoingOnBatteries, "false");
  assert.equal(Settings.DisallowStartIfOnBatteries, "false");
  assert.equal(Settings.MultipleInstancesPolicy, "IgnoreNew");
  assert.deepEqual(Triggers.TimeTrigger.Repetition, { Interval: "PT1M", StopAtDurationEnd: "false" });
});

test("where OpenClaw has its state is told to each", () => {
  const variables = { OPENCLAW_STATE_DIR: "/srv/claw 100%" };
  assert.match(
    systemdUnit("user", { ...linux, variables }),
    /^Environment="OPENCLAW_STATE_DIR=\/srv\/claw 100%%"$/m,
  );
  const lines = windowsLauncher({ ...windows, variables }).split("\r\n");
  assert.ok(lines.includes('variables("OPENCLAW_STATE_DIR") = "/srv/claw 100%"'));
});

test("the Windows launcher runs the command line that was meant", () => {
  const lines = windowsLauncher({ ...windows, stateDir: 'C:\\a "b"' }).split("\r\n");
  assert.ok(lines.includes('variables("CLAWKIT_STATE_DIR") = "C:\\a ""b"""'));
  assert.ok(
    lines.includes(`WScript.Quit shell.Run("""${windows.node}"" ""${windows.entry}"" gateway run", 0, True)`),
  );
});

test("no definition has a secret, or a place for one", () => {
  for (const text of [systemdUnit("system", linux), launchdPlist(mac), windowsTask(windows, LAUNCHER)]) {
    assert.doesNotMatch(text.replace("InteractiveToken", ""), /token|password|secret/i);
  }
});

type Nodes = Record<string, unknown>[];

/** A property list's dictionary as an object. */
function plistOf(text: string): Record<string, unknown> {
  const nodes: Nodes = new XMLParser({ preserveOrder: true, parseTagValue: false, trimValues: false }).parse(
    text,
  );
  const plist = nodes.find((node) => "plist" in node)!.plist as Nodes;
  return plistValue(plist.find((node) => "dict" in node)!) as Record<string, unknown>;
}

function plistValue(node: Record<string, unknown>): unknown {
  const [kind] = Object.keys(node);
  const inside = (node[kind!] as Nodes).filter((child) => !("#text" in child));
  const text = (node[kind!] as Nodes).map((child) => child["#text"] ?? "").join("");
  if (kind === "true" || kind === "false") return kind === "true";
  if (kind === "integer") return Number(text);
  if (kind === "array") return inside.map(plistValue);
  if (kind !== "dict") return text;
  const pairs = Array.from({ length: inside.length / 2 }, (_, i) => [
    plistValue(inside[2 * i]!),
    plistValue(inside[2 * i + 1]!),
  ]);
  return Object.fromEntries(pairs);
}
