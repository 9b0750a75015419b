import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hostFixture } from "../../test/helpers/host.ts";
import { parseLaunchd, parseSystemd, parseTasks, taskServices } from "./services.ts";

const ENTRY = "/home/u/.npm-global/lib/node_modules/openclaw/dist/index.js";

describe("parseSystemd", () => {
  const units = (name: string) => parseSystemd(hostFixture("linux", `systemctl-${name}`));

  test("reads a unit that runs", () => {
    const [unit] = units("active");
    const { name, manager, isRunning, state, isStartLimitHit, ignoresCleanExit, command } = unit!;
    assert.deepEqual(
      { name, manager, isRunning, state, isStartLimitHit, ignoresCleanExit, command },
      {
        name: "openclaw-gateway.service",
        manager: "systemd",
        isRunning: true,
        state: "active (running)",
        isStartLimitHit: false,
        ignoresCleanExit: false,
        command: ["/usr/bin/node", ENTRY, "gateway", "--port", "18789"],
      },
    );
  });

  test("reads a unit that systemd gave up, and leaves out what is not installed", () => {
    const [unit, ...others] = units("start-limit");
    assert.deepEqual(others, []);
    assert.deepEqual(
      [unit?.isRunning, unit?.state, unit?.isStartLimitHit, unit?.ignoresCleanExit, unit?.lastExitCode],
      [false, "failed (start-limit-hit)", true, true, 0],
    );
  });

  // systemd keeps the result of the first failure: https://github.com/systemd/systemd/issues/32203
  test("reads a unit that crashed until systemd gave up", () => {
    const [unit] = units("crash-loop-over");
    assert.deepEqual([unit?.isStartLimitHit, unit?.lastExitCode], [true, 1]);
  });

  test("does not take a unit between two starts for one that was given up", () => {
    const [unit] = units("restarting");
    assert.deepEqual([unit?.isRunning, unit?.isStartLimitHit, unit?.lastExitCode], [false, false, 1]);
  });

  test("tells a unit that was switched off, and how", () => {
    const text = hostFixture("linux", "systemctl-restarting");
    const states = ["enabled", "static", "disabled", "masked"].map(
      (state) => `${text.trimEnd()}\nUnitFileState=${state}\n`,
    );
    assert.deepEqual(
      states.map((one) => parseSystemd(one)[0]?.switchedOff),
      [undefined, undefined, "disabled", "masked"],
    );
    const masked =
      "Id=clawkit.service\nLoadState=masked\nActiveState=inactive\nSubState=dead\nUnitFileState=masked\n";
    assert.equal(parseSystemd(masked)[0]?.switchedOff, "masked");
  });

  test("reads lines that end with CR LF, and nothing as nothing", () => {
    const text = hostFixture("linux", "systemctl-start-limit");
    assert.deepEqual(parseSystemd(text.replaceAll("\n", "\r\n")), parseSystemd(text));
    for (const nothing of ["", "\n\n", "Failed to connect to bus: No medium found\n"]) {
      assert.deepEqual(parseSystemd(nothing), []);
    }
  });
});

describe("parseLaunchd", () => {
  const label = "ai.openclaw.gateway";
  const job = (name: string) => parseLaunchd(label, hostFixture("macos", `launchctl-${name}`), true);

  test("reads a job that runs, and takes no inner state for its own", () => {
    const { command, ...rest } = job("running")!;
    assert.deepEqual(rest, { manager: "launchd", name: label, isRunning: true, state: "running" });
    const entry = "/opt/homebrew/lib/node_modules/openclaw/dist/index.js";
    assert.deepEqual(command, ["/opt/homebrew/bin/node", entry, "gateway", "--port", "18789"]);
  });

  test("reads a job that ended, with its exit code", () => {
    assert.deepEqual(job("refused"), {
      manager: "launchd",
      name: label,
      isRunning: false,
      state: "not running",
      lastExitCode: 78,
    });
  });

  test("tells a job that is installed and not loaded from one that is not there", () => {
    assert.deepEqual(parseLaunchd(label, undefined, true), {
      manager: "launchd",
      name: label,
      isRunning: false,
      state: "installed, not loaded",
      isNotLoaded: true,
    });
    assert.equal(parseLaunchd(label, undefined, false), undefined);
  });
});

describe("parseTasks", () => {
  test("reads tasks with the policies that end them", () => {
    const [gateway, own] = parseTasks(hostFixture("windows", "tasks"));
    assert.deepEqual(gateway, {
      manager: "Windows task",
      name: "OpenClaw Gateway",
      isRunning: false,
      state: "Ready",
      endedBy: ["it is stopped when the machine runs on battery", "it is stopped after PT72H"],
      lastExitCode: 267014,
      command: ["C:\\Users\\Ana B\\.openclaw\\gateway.cmd"],
    });
    assert.deepEqual(own?.command?.slice(1), ["C:\\Users\\Ana B\\clawkit\\clawkit.js", "gateway", "run"]);
    assert.deepEqual([own?.isRunning, own?.endedBy], [true, []]);
  });

  test("reads a task that says nothing of itself, and none", () => {
    const blank = '[{"Name":"ClawKit","State":"Disabled","Battery":null,"Limit":null,"Result":null}]';
    assert.deepEqual(parseTasks(blank), [
      { manager: "Windows task", name: "ClawKit", isRunning: false, state: "Disabled", endedBy: [] },
    ]);
    assert.deepEqual(parseTasks("[]\r\n"), []);
  });

  test("reads what PowerShell writes before its JSON (a byte order mark), and an array of blank lines", () => {
    assert.deepEqual(parseTasks("\uFEFF[]"), []);
    assert.deepEqual(parseTasks(hostFixture("windows", "processes-none").replaceAll("\n", "\r\n")), []);
  });

  test("a PowerShell that fails is nobody who answers", async () => {
    assert.equal(await taskServices(() => Promise.reject(new Error("no PowerShell"))), undefined);
    assert.deepEqual(
      await taskServices(async () => hostFixture("windows", "tasks")),
      parseTasks(hostFixture("windows", "tasks")),
    );
  });
});
