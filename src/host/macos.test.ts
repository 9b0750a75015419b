import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hostFixture, testHostForReal } from "../../test/helpers/host.ts";
import {
  macos,
  parseBootSession,
  parseClients,
  parseExecutable,
  parseNames,
  parseNetstat,
  parseProcess,
  parseProcessTable,
  parseSockets,
  parseTextFiles,
  parseWakeTime,
} from "./macos.ts";

const ps = (name: string) => parseProcess(hostFixture("macos", `ps-${name}`));

test("parseBootSession reads the UUID, and nothing as nothing", () => {
  const uuid = "40962879-B7EE-4F13-AF6E-E7266EF5E732";
  assert.equal(parseBootSession(hostFixture("macos", "sysctl-bootsessionuuid")), uuid);
  assert.equal(parseBootSession("\n"), undefined);
});

describe("parseProcess", () => {
  test("reads every column", () => {
    assert.deepEqual(ps("launchd"), {
      pid: 1,
      startTime: "Wed Jul 29 15:37:10 2026",
      state: "sleeping",
      cpuMs: 35_140,
      user: "root",
    });
  });

  test("reads a day of one digit", () => {
    assert.equal(ps("stopped").startTime, "Sat Aug  1 09:05:03 2026");
  });

  test("tells stopped from zombie, and neither from a stop by a debugger", () => {
    assert.equal(ps("stopped").state, "stopped");
    assert.equal(ps("zombie").state, "zombie");
    assert.equal(ps("traced-stop").state, "unknown");
  });

  test("keeps counting minutes past the hour, and takes a user with a space", () => {
    const { cpuMs, user, state } = ps("long-running");
    assert.deepEqual(
      { cpuMs, user, state },
      { cpuMs: 74_096_780, user: "OFFICE\\ana maria", state: "running" },
    );
  });

  test("does not guess a state ps could not read", () => {
    assert.equal(ps("state-unreadable").state, "unknown");
    assert.equal(parseProcess(hostFixture("macos", "ps-launchd").replace("Ss", "  ")).state, "unknown");
  });

  test("says what it could not read", () => {
    assert.throws(() => parseProcess("  812 Ss\n"), {
      message: 'Cannot read a process as ps printed "  812 Ss\\n"',
    });
  });
});

describe("executables and paths with blanks", () => {
  const names = parseNames(hostFixture("macos", "ps-comm"));
  const commands = parseNames(hostFixture("macos", "ps-command"));
  const table = parseProcessTable(hostFixture("macos", "ps-table-blanks"), names, commands);

  test("end where the table of names says, and keep their umlauts", () => {
    assert.deepEqual(
      table.map(({ executable, command }) => [executable, command]),
      [
        [
          "/Applications/My App.app/Contents/Resources/node",
          "/Applications/My App.app/Contents/Resources/node /Users/ana/Größe/node_modules/openclaw/openclaw.mjs gateway",
        ],
        [undefined, "node /Users/ana/Größe/node_modules/openclaw/openclaw.mjs gateway"],
      ],
    );
  });

  test("of a Node that was called by its bare name, or retitled, are in its list of files", () => {
    assert.deepEqual(
      [...parseTextFiles(hostFixture("macos", "lsof-txt"))],
      [
        [913, "/opt/homebrew/Cellar/node/26.1.0/bin/node"],
        [1301, "/Users/ana/Library/Application Support/fnm/node"],
      ],
    );
    assert.equal(parseTextFiles("").size, 0);
  });
});

test("parseWakeTime reads when it woke, and knows that some Macs do not say (giampaolo/psutil#1468)", () => {
  const text = "{ sec = 1790077571, usec = 23 } Mon Sep 21 10:26:11 2026";
  assert.deepEqual(parseWakeTime(text), { wokeAt: 1790077571000 });
  assert.equal(parseWakeTime("{ sec = 0, usec = 0 } Thu Jan  1 00:00:00 1970"), undefined);
  assert.equal(parseWakeTime(""), undefined);
});

test("parseExecutable takes a path with spaces, not a bare or invented name", () => {
  const path = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
  assert.equal(parseExecutable(`${path}\n`), path);
  assert.equal(parseExecutable("-zsh\n"), undefined);
  assert.equal(parseExecutable("<defunct>\n"), undefined);
});

describe("parseProcessTable", () => {
  const table = parseProcessTable(hostFixture("macos", "ps-table"));

  test("reads every column of a line", () => {
    assert.deepEqual(table[2], {
      pid: 914,
      parentPid: 913,
      startTime: "Sat Aug  1 09:05:04 2026",
      state: "sleeping",
      cpuMs: 210,
      user: "ana",
      command:
        "/opt/homebrew/bin/node /opt/homebrew/lib/node_modules/openclaw/dist/process/spawn-broker/worker.js",
      executable: "/opt/homebrew/bin/node",
    });
  });

  test("names states and parents, and no executable of a title", () => {
    assert.deepEqual(
      table.map(({ pid, parentPid, state, executable }) => [pid, parentPid, state, executable]),
      [
        [1, 0, "sleeping", "/sbin/launchd"],
        [913, 1, "sleeping", undefined],
        [914, 913, "sleeping", "/opt/homebrew/bin/node"],
        [1204, 913, "zombie", undefined],
        [2048, 1, "stopped", "/usr/sbin/httpd"],
      ],
    );
  });

  test("has the start times that parseProcess has: equal ones are the same process", () => {
    assert.equal(table[0]?.startTime, ps("launchd").startTime);
  });

  test("passes over lines it cannot read", () => {
    assert.deepEqual(parseProcessTable("\nps: illegal option\n  12 no line\n"), []);
  });
});

describe("parseSockets", () => {
  test("tells the two families of a wildcard apart", () => {
    assert.deepEqual(parseSockets(hostFixture("macos", "lsof-controlcenter"), 7000), [
      { address: "0.0.0.0", pid: 20133, name: "ControlCenter" },
      { address: "::", pid: 20133, name: "ControlCenter" },
    ]);
  });

  test("tells two programs on one port apart", () => {
    assert.deepEqual(parseSockets(hostFixture("macos", "lsof-two-holders"), 3001), [
      { address: "127.0.0.1", pid: 15725, name: "python3.1" },
      { address: "::", pid: 46822, name: "node" },
    ]);
  });

  test("names a socket held under two descriptors once", () => {
    assert.deepEqual(parseSockets(hostFixture("macos", "lsof-launchd-twice"), 5900), [
      { address: "::", pid: 1, name: "launchd" },
      { address: "0.0.0.0", pid: 1, name: "launchd" },
    ]);
  });

  test("takes an IPv6 address out of its brackets", () => {
    const addresses = parseSockets(hostFixture("macos", "lsof-ipv6-loopback"), 18789).map((o) => o.address);
    assert.deepEqual(addresses, ["::1", "127.0.0.1"]);
  });

  test("finds nothing on another port or in nothing", () => {
    assert.deepEqual(parseSockets(hostFixture("macos", "lsof-ipv6-loopback"), 1878), []);
    assert.deepEqual(parseSockets("", 18789), []);
  });
});

describe("parseClients", () => {
  // the fields of `lsof-ipv6-loopback`, with the far end that lsof/print.c puts behind an arrow
  const fields = [
    "p812",
    "cnode",
    "f23",
    "n127.0.0.1:51234->127.0.0.1:18789",
    "f24",
    "n[::1]:51235->[::1]:18789",
    "p913",
    "copenclaw-gateway",
    "f31",
    "n127.0.0.1:18789->127.0.0.1:51234",
    "f32",
    "n127.0.0.1:51300->10.0.0.5:443",
  ].join("\n");

  test("names who is connected to a port, not who was connected to", () => {
    assert.deepEqual(parseClients(fields, 18789), [
      { address: "127.0.0.1", pid: 812, name: "node" },
      { address: "::1", pid: 812, name: "node" },
    ]);
    assert.deepEqual(parseClients("", 18789), []);
    assert.deepEqual(
      parseClients("p7\ncnode\nn127.0.0.1:18789->127.0.0.1:443\nn[::1]:18789->[::1]:9\n", 18789, "near"),
      [
        { address: "127.0.0.1", pid: 7, name: "node" },
        { address: "::1", pid: 7, name: "node" },
      ],
    );
  });
});

describe("parseNetstat", () => {
  test("finds every address that listens, each once", () => {
    assert.deepEqual(parseNetstat(hostFixture("macos", "netstat-5000"), 5000), [
      "127.0.0.1",
      "::",
      "0.0.0.0",
    ]);
  });

  test("leaves out connections, closed sockets and ports that only end or begin alike", () => {
    const table = hostFixture("macos", "netstat-full");
    assert.deepEqual(parseNetstat(table, 18789), ["::1", "2001:db8:1234:5678:9abc:def0:1234:5678"]);
    assert.deepEqual(parseNetstat(table, 18790), ["::"]);
    assert.deepEqual(parseNetstat(table, 8789), []);
  });
});

testHostForReal(macos, "darwin");
