import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { hostFixture } from "../../test/helpers/host.ts";
import { linuxPortRule, parseExcludedPorts } from "./port-rules.ts";

describe("on Linux", () => {
  test("ports below net.ipv4.ip_unprivileged_port_start are root's", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "clawkit-rules-"));
    t.after(() => rm(folder, { recursive: true }));
    const path = join(folder, "start");
    await writeFile(path, "20000\n");
    const rule = await linuxPortRule(18789, 1000, path);
    assert.equal(rule?.kind, "privileged");
    assert.match(rule.detail, /port 18789: .* is 20000$/);
    assert.equal(await linuxPortRule(18789, 0, path), undefined);
    assert.equal(await linuxPortRule(20000, 1000, path), undefined);
    assert.equal(await linuxPortRule(1, 1000, join(folder, "missing")), undefined);
  });
});

describe("on Windows", () => {
  const table = hostFixture("windows", "excluded-ports").replaceAll("\n", "\r\n");

  for (const port of [28385, 49776, 49900, 50159]) {
    test(`port ${port} is in a range that is kept`, () => {
      assert.equal(parseExcludedPorts(table, port)?.kind, "excluded");
    });
  }

  for (const [port, why] of [
    [18789, "in none"],
    [50001, "in one that an administrator reserved, maybe for this gateway"],
  ] as const) {
    test(`port ${port} is ${why}`, () => assert.equal(parseExcludedPorts(table, port), undefined));
  }

  test("the words of the table may be translated", () => {
    const spanish =
      "Puerto de inicio    Puerto final\n----------          --------\n      1025        1124\n";
    assert.equal(parseExcludedPorts(spanish, 1100)?.detail, "Windows keeps ports 1025 to 1124 for itself");
    assert.equal(parseExcludedPorts("", 1100), undefined);
  });
});
