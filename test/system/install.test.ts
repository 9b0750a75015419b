import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { sendSignal } from "../../src/bin/real.ts";
import { parseRunLog } from "../../src/core/run-record.ts";
import { cloneCheckout, findNode, freshEnv, REQUIRED_NODE } from "../helpers/checkout.ts";
import { type CommandResult, collect, freePort, until } from "../helpers/clawkit.ts";
import { TestClient } from "../helpers/clients.ts";
import { isPortFree, untilGone } from "../helpers/processes.ts";

const needsPosix = process.platform === "win32" ? "the paths are those of Linux and macOS" : false;

const older = await findNode((major) => major < REQUIRED_NODE);
const noOlder = older === undefined ? `there is no Node older than ${REQUIRED_NODE} here` : false;

test("CI has an older Node to try", { skip: process.env.CI ? false : noOlder }, () => {
  assert.equal(noOlder, false);
});

describe("the README's first line on a fresh clone", { skip: needsPosix }, () => {
  let home: string;

  before(async () => {
    home = await mkdtemp(join(tmpdir(), "clawkit-install-"));
  });

  after(() => rm(home, { recursive: true, force: true }));

  test(`npm install && npm start, on Node ${REQUIRED_NODE}`, async () => {
    const person = await Person.withNode(home, process.execPath);
    await cloneCheckout(person.checkout);
    await person.installs();
    await person.startsAndStops();
    await rm(person.checkout, { recursive: true });
  });

  describe("on an older Node", { skip: noOlder }, () => {
    let person: Person;

    before(async () => {
      person = await Person.withNode(home, older!.path);
      await cloneCheckout(person.checkout);
    });

    test("npm install && npm start", async () => {
      await person.installs();
      await person.startsAndStops();
    });

    test("./bin/clawkit runs on the Node that the install brought", async () => {
      const { code, stdout, stderr } = await person.run("./bin/clawkit", ["--version"]);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
      assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
    });

    test("where the optional Node could not be installed: one sentence, and exit code 1", async () => {
      // npm passes over an optional package that fails, and this is what is then there
      const modules = join(person.checkout, "node_modules");
      for (const name of await readdir(modules)) {
        if (name.startsWith("node-")) await rm(join(modules, name), { recursive: true });
      }
      await rm(join(modules, ".bin/node"), { force: true });

      for (const [command, args] of [
        ["npm", ["start"]],
        ["npm", ["test"]],
        ["./bin/clawkit", ["--version"]],
        ["./bin/openclaw", ["gateway", "status"]],
      ] as const) {
        const { code, stderr } = await person.run(command, args);
        const line = `${command} ${args.join(" ")}`;
        assert.equal(code, 1, `${line}: ${stderr}`);
        const said = stderr.split("\n").filter((text) => text !== "" && !text.startsWith("npm "));
        assert.equal(said.length, 1, `${line}: ${stderr}`);
        assert.match(said[0]!, /^ClawKit needs Node 24 or newer/, line);
      }
    });
  });
});

/** Somebody who has a Node, and nothing of ours yet. */
class Person {
  readonly checkout: string;
  readonly #home: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(home: string, env: NodeJS.ProcessEnv) {
    this.#home = home;
    this.#env = env;
    this.checkout = join(home, "clawkit");
  }

  /** The `node` of this person's shell is `node`; npm is whichever the machine has, run by that. */
  static async withNode(parent: string, node: string): Promise<Person> {
    const home = await mkdtemp(join(parent, "home-"));
    const bin = join(home, "bin");
    await mkdir(bin);
    await symlink(node, join(bin, "node"));
    return new Person(home, freshEnv(home, bin));
  }

  run(command: string, args: readonly string[]): Promise<CommandResult> {
    return collect(this.#spawn(command, args));
  }

  async installs(): Promise<void> {
    const lockfile = () => readFile(join(this.checkout, "package-lock.json"), "utf8");
    const before = await lockfile();
    const { code, stdout, stderr } = await this.run("npm", ["install"]);
    assert.equal(code, 0, stdout + stderr);
    assert.equal(await lockfile(), before, "npm install rewrote the lockfile");
  }

  /** `npm start` in a terminal: says where it is and what to try next, serves, and ends with Ctrl-C. */
  async startsAndStops(): Promise<void> {
    const port = await freePort();
    const stateDir = join(this.#home, "state");
    const child = this.#spawn("npm", ["start"], {
      CLAWKIT_GATEWAY_PORT: String(port),
      CLAWKIT_STATE_DIR: stateDir,
    });
    let output = "";
    for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (chunk) => (output += chunk));
    const ended = collect(child);
    let isOver = false;
    void ended.then(() => (isOver = true));
    try {
      await until(() => isOver || output.includes("Ctrl-C") || undefined, 60_000);
      const url = `ws://127.0.0.1:${port}`;
      for (const words of [url, join(stateDir, "config.json5"), "gateway.auth.token", "Try next"]) {
        assert.ok(output.includes(words), `it does not say ${words}:\n${output}`);
      }

      const client = new TestClient(url);
      assert.match(await client.next(), /"connect\.challenge"/);
      assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200);

      sendSignal(-child.pid!, "SIGINT");
      // dash and npm die of the Ctrl-C they share with us; what counts is that ours ended as asked
      const { code } = await ended;
      assert.ok([0, 130, null].includes(code), `exit code ${code}:\n${output}`);
      assert.match((await client.ended).reason, /Ctrl-C/);
      const records = parseRunLog(await readFile(join(stateDir, "run/runs.jsonl"), "utf8"));
      const ends = records.filter((record) => record.event === "end");
      assert.deepEqual(
        ends.map(({ role, end }) => `${role} ended by ${end.by}`).sort(),
        ["edge ended by operator", "gateway ended by operator", "supervisor ended by operator"],
        output,
      );
      const pids = ends.map(({ pid }) => pid);
      await untilGone(pids);
      assert.equal(await isPortFree(port), true);
    } finally {
      sendSignal(-child.pid!, "SIGKILL");
    }
  }

  /** In a group of its own, as a terminal does with each command line. */
  #spawn(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    return spawn(command, args, {
      cwd: this.checkout,
      env: { ...this.#env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
  }
}
