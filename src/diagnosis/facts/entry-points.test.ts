import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { hostWith, machineWith } from "../../../test/helpers/machine.ts";
import type { ServiceFacts } from "../../host/types.ts";
import { entryPoints } from "./entry-points.ts";

/** A machine with two versions of OpenClaw and a Node that says it is 22.12.0. */
async function machineIn(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "clawkit entry "));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const write = async (path: string, text: string) => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    return path;
  };
  const install = async (name: string, version: string) => {
    const at = join(folder, name, "node_modules", "openclaw");
    const engines = { node: ">=24.16.0 <25 || >=26.1.0" };
    await write(join(at, "package.json"), JSON.stringify({ name: "openclaw", version, engines }));
    return await write(join(at, "openclaw.mjs"), "");
  };
  const [old, current] = [await install("old", "2026.4.24"), await install("new", "2026.9.6")];
  const node = await write(join(folder, "bin", "node"), "#!/bin/sh\necho v22.12.0\n");
  await chmod(node, 0o755);
  await symlink(current, join(folder, "bin", "openclaw"));

  const found = async (service: Partial<ServiceFacts> | undefined, path = join(folder, "bin")) => {
    const facts = { manager: "systemd", name: "openclaw-gateway.service", isRunning: false, state: "failed" };
    const services = service === undefined ? [] : [{ ...facts, ...service } as ServiceFacts];
    const host = hostWith({ services: async () => services });
    return await entryPoints.look(machineWith({ host, openclawDirs: [folder], env: { PATH: path } }));
  };
  return { found, folder, node, old, current };
}

const posix = { skip: process.platform === "win32" ? "a script stands for Node" : false };

describe("what a service starts", posix, () => {
  test("may be a script, or a Node, that is not there any more", async (t) => {
    const { found, folder, node } = await machineIn(t);
    const gone = join(folder, "nvm", "v22.1.0", "bin", "node");
    for (const command of [
      [gone, join(folder, "new", "x.js")],
      [node, "--no-warnings", `${folder}/gone/openclaw.mjs`],
    ]) {
      const [first] = await found({ command }, "");
      assert.equal(first?.id, "service-entry-missing");
      assert.ok(first.detail.includes(command.find((part) => /nvm|gone/.test(part))!), first.detail);
    }
  });

  test("is nobody's business while it runs", async (t) => {
    const { found } = await machineIn(t);
    assert.deepEqual(await found({ isRunning: true, command: ["/no/such/node"] }, ""), []);
  });

  test("may be another version than the shell's", async (t) => {
    const { found, old } = await machineIn(t);
    const facts = await found({ command: [process.execPath, old, "gateway"] });
    const elsewhere = facts.find(({ id }) => id === "service-entry-elsewhere");
    assert.match(elsewhere?.detail ?? "", /starts version 2026\.4\.24 .* the shell finds 2026\.9\.6/);
  });

  test("may have a Node that it does not run on", async (t) => {
    const { found, node, current } = await machineIn(t);
    const [first] = await found({ command: [node, current, "gateway"] }, "");
    assert.equal(first?.id, "node-not-supported");
    assert.equal(
      first.detail,
      `${node} is Node 22.12.0, and OpenClaw 2026.9.6 needs >=24.16.0 <25 || >=26.1.0`,
    );
  });

  test("may be a command of this system alone: then nothing is said", async (t) => {
    const { found } = await machineIn(t);
    assert.deepEqual(await found({ command: ["/bin/sh", "-c", "openclaw gateway"] }, ""), []);
    assert.deepEqual(await found({}, ""), []);
  });
});

describe("what the shell starts", posix, () => {
  test("runs with the first Node of the PATH, which may be too old", async (t) => {
    const { found } = await machineIn(t);
    assert.deepEqual(
      (await found(undefined)).map(({ id }) => id),
      ["node-not-supported"],
    );
  });

  test("is not judged if it names its Node itself", async (t) => {
    const { found, folder } = await machineIn(t);
    const bin = join(folder, "wrapped");
    await mkdir(bin);
    await writeFile(join(bin, "openclaw"), "#!/bin/sh\n");
    assert.deepEqual(await found(undefined, [bin, join(folder, "bin")].join(delimiter)), []);
  });

  test("is not run if others could have written it", async (t) => {
    const { found, node } = await machineIn(t);
    await chmod(node, 0o757);
    assert.deepEqual(await found(undefined), []);
  });
});
