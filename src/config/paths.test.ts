import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { resolveStateDir, socketPath, statePaths } from "./paths.ts";

/** sockaddr_un of macOS, the smallest: 104 bytes with the final zero. */
const MAX_BYTES = 103;

describe("the state directory", () => {
  test("is CLAWKIT_STATE_DIR, else .clawkit at home", () => {
    assert.equal(resolveStateDir({ CLAWKIT_STATE_DIR: "/state" }, "/home/me"), "/state");
    assert.equal(resolveStateDir({}, "/home/me"), join("/home/me", ".clawkit"));
    assert.equal(resolveStateDir({ CLAWKIT_STATE_DIR: "" }, "/home/me"), join("/home/me", ".clawkit"));
  });

  test("has everything in it", () => {
    const { stateDir, ...paths } = statePaths("/state");
    assert.equal(stateDir, "/state");
    for (const path of Object.values(paths)) assert.ok(path.startsWith(join("/state", "/")), path);
  });
});

describe("socketPath", () => {
  test("is in the state directory as long as the system takes the longest such path", () => {
    const fits = "/".padEnd(MAX_BYTES - "/run/gateway-4294967295.sock".length, "x");
    assert.equal(socketPath(fits, "control", "linux", "/tmp"), `${fits}/run/control.sock`);
    const tooLong = socketPath(`${fits}x`, "control", "linux", "/tmp");
    assert.match(tooLong, /^\/tmp\/clawkit-[0-9a-f]{16}\/control\.sock$/);
  });

  test("counts bytes, not characters", () => {
    assert.match(socketPath(`/${"ü".repeat(60)}`, "control", "darwin", "/tmp"), /^\/tmp\//);
  });

  test("differs between state directories, and is the same for the same", () => {
    const long = (name: string) => socketPath(`/${"x".repeat(100)}/${name}`, "control", "linux", "/tmp");
    assert.notEqual(long("a"), long("b"));
    assert.equal(long("a"), long("a"));
  });

  test("is a named pipe on Windows", () => {
    assert.match(
      socketPath("C:\\state", "control", "win32", "C:\\Temp"),
      /^\\\\\.\\pipe\\clawkit-[0-9a-f]{16}-control$/,
    );
  });
});
