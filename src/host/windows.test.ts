import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hostFixture, testHostForReal } from "../../test/helpers/host.ts";
import { parseArguments } from "./arguments.ts";
import { parseBootNumber, parseLastBoot, parseNetstat, parseProcesses, windows } from "./windows.ts";

const fixture = (name: string) => hostFixture("windows", name).replaceAll("\n", "\r\n");

describe("the boot", () => {
  test("parseBootNumber reads the registry's number, and nothing as nothing", () => {
    assert.equal(parseBootNumber(fixture("reg-boot-id")), "69");
    assert.equal(parseBootNumber(hostFixture("windows", "reg-boot-id")), "69");
    assert.equal(parseBootNumber(fixture("reg-boot-id").replace("BootId", "BaseTime")), undefined);
    assert.equal(parseBootNumber(""), undefined);
  });

  test("parseLastBoot reads the instant, in milliseconds", () => {
    assert.equal(parseLastBoot(fixture("last-boot")), "1790064000500");
  });
});

describe("parseProcesses", () => {
  test("reads one process, and does without what was not asked for", () => {
    const executable =
      "C:\\Program Files\\WindowsApps\\Microsoft.WindowsNotepad_11.2607.14.0_x64__8wekyb3d8bbwe\\Notepad\\Notepad.exe";
    assert.deepEqual(parseProcesses(fixture("process-notepad")), [
      {
        pid: 16828,
        parentPid: 20256,
        startTime: "1790077571033",
        state: "unknown",
        cpuMs: 0,
        command: executable,
        executable,
      },
    ]);
  });

  test("adds kernel and user time, 100 ns a unit", () => {
    assert.deepEqual(parseProcesses(fixture("processes"))[0], {
      pid: 8224,
      startTime: "1790077571033",
      state: "unknown",
      cpuMs: 50_000,
      command: '"C:\\Program Files\\nodejs\\node.exe" gateway.mjs --port 18789',
      args: ["C:\\Program Files\\nodejs\\node.exe", "gateway.mjs", "--port", "18789"],
      executable: "C:\\Program Files\\nodejs\\node.exe",
    });
  });

  test("names a process that may not be looked at, and one without a date", () => {
    const [, system, idle] = parseProcesses(fixture("processes"));
    assert.equal(system?.command, "[System]");
    assert.ok(!("executable" in system));
    assert.equal(idle?.startTime, "boot");
  });

  test("knows arguments with blanks apart, and the user of one's own processes", () => {
    const [gateway, others] = parseProcesses(fixture("processes-blanks"));
    assert.deepEqual(gateway?.args, [
      "C:\\Program Files\\nodejs\\node.exe",
      "C:\\Users\\Ana B\\AppData\\Roaming\\npm\\node_modules\\openclaw\\openclaw.mjs",
      "gateway",
      "run",
      "--port",
      "18789",
    ]);
    assert.equal(gateway?.user, "ana");
    assert.ok(others !== undefined && !("user" in others) && !("args" in others));
  });

  // learn.microsoft.com, "Parsing C command-line arguments": its own examples
  for (const [line, args] of [
    ['"abc" d e', ["abc", "d", "e"]],
    ['a\\\\b d"e f"g h', ["a\\\\b", "de fg", "h"]],
    ['a\\\\\\"b c d', ['a\\"b', "c", "d"]],
    ['a\\\\\\\\"b c" d e', ["a\\\\b c", "d", "e"]],
    ['"" x', ["", "x"]],
    ["", []],
  ] as const) {
    test(`splits ${line === "" ? "nothing" : line}`, () => assert.deepEqual(parseArguments(line), args));
  }

  test("finds no process in an empty array", () => {
    assert.deepEqual(parseProcesses(fixture("processes-none")), []);
    assert.deepEqual(parseProcesses("\uFEFF[]"), []);
  });

  test("says what it could not read", () => {
    assert.throws(() => parseProcesses("Access denied\r\n"), {
      message: 'Cannot read what PowerShell printed: "Access denied\\r\\n"',
    });
  });
});

describe("parseNetstat", () => {
  test("finds the listeners of both families", () => {
    const owners = [
      { address: "0.0.0.0", pid: 4 },
      { address: "::", pid: 4 },
    ];
    assert.deepEqual(parseNetstat(fixture("netstat-50300"), 50300), owners);
    assert.deepEqual(parseNetstat(hostFixture("windows", "netstat-50300"), 50300), owners);
  });

  test("does not take port 8042 for port 80", () => {
    // https://github.com/flipace/whoport/pull/1
    assert.deepEqual(parseNetstat(fixture("netstat-80"), 80), [{ address: "127.0.0.2", pid: 3040 }]);
  });

  for (const [what, table] of [
    ["translated", fixture("netstat-german")],
    ["in a code page that is not ours", fixture("netstat-german").replaceAll("Ö", "\uFFFD")],
  ] as const) {
    test(`tells listeners from connections when the state is ${what}`, () => {
      assert.deepEqual(parseNetstat(table, 8080), [
        { address: "0.0.0.0", pid: 42852 },
        { address: "::1", pid: 42852 },
      ]);
    });
  }

  test("finds the pid behind a state of two words", () => {
    const owners = parseNetstat(fixture("netstat-two-word-state"), 18789);
    assert.deepEqual(owners, [{ address: "127.0.0.1", pid: 8224 }]);
  });

  test("finds nothing in nothing", () => {
    assert.deepEqual(parseNetstat("", 18789), []);
  });
});

testHostForReal(windows, "win32");
