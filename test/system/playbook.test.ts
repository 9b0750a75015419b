import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { access, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, describe, test } from "node:test";
import { sendSignal } from "../../src/bin/real.ts";
import { callControl } from "../../src/cli/control-client.ts";
import { socketPath } from "../../src/config/paths.ts";
import type { Status } from "../../src/core/control.ts";
import { type CommandResult, collect, program, ROOT, sleep, until } from "../helpers/clawkit.ts";
import { claimPagePort, PAGE_PORT } from "../helpers/page-port.ts";
import { isAlive, isPortFree, processesOf } from "../helpers/processes.ts";
import { blockOf, commandsOf, readPage, scriptFor } from "../playbook/page.ts";

/** The page knows one port. Everything below happens there, so nothing here may run beside itself. */
const PORT = PAGE_PORT;
await claimPagePort();

/** The page: "Wait 3 seconds, then:". */
const PAGE_WAIT_MS = 3_000;

const page = readPage();
const pasteable = (title: string) => scriptFor(blockOf(page, title), "linux");

const RECOVERY = pasteable("1006 Recovery Sequence");
const CHECK = pasteable("Check Gateway Process");
const RESTART = pasteable("Restart Gateway");
const NETWORK = pasteable("Baseline Network Checks");
const DOCTOR = pasteable("Run CLI Doctor");
const ZOMBIE = pasteable("Kill Zombie on Port 18789");

const missing = await whatIsMissing();

test("nothing is in the way of the page", { skip: process.env.CI ? false : (missing ?? false) }, () => {
  assert.equal(missing, undefined);
});

test("every block of the page is run below, or it is said where", () => {
  const elsewhere = {
    "Docker Gateway Debug": "containers.test.ts",
    "Docker Compose Restart Policy": "containers.test.ts",
  };
  const here = [RECOVERY, CHECK, RESTART, NETWORK, ZOMBIE, DOCTOR];
  for (const block of page.sections.flatMap((section) => section.blocks)) {
    const isHere = here.includes(scriptFor(block, "linux"));
    assert.notEqual(isHere, block.title.text in elsewhere, `${block.title.text} is neither or both`);
  }
});

describe("the page on Linux, pasted into a shell that finds no other openclaw", {
  skip: missing ?? false,
}, () => {
  after(async () => assert.equal(await isPortFree(PORT), true, "something stayed on the port"));

  test("1-Minute Recovery Sequence starts what was never started", async () => {
    await using machine = await Machine.create();
    const { code, stdout, stderr } = await machine.paste(RECOVERY);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^The gateway is running at ws:\/\/127\.0\.0\.1:18789 /m);
    assert.match(stdout, /^Gateway healthy$/m);
    await machine.connect();
  });

  test("1-Minute Recovery Sequence after a kill -9 of the gateway", async () => {
    await using machine = await Machine.create();
    await machine.start();
    const { supervisor, edge, gateway } = await machine.status();
    const client = await machine.connect();
    process.kill(gateway.pid!, "SIGKILL");

    const { code, stdout, stderr } = await machine.paste(RECOVERY);

    assert.equal(code, 0, stderr);
    // step 2: who is on the port
    const listeners = stdout.match(/^\S+ +\d+ .* TCP .*:18789 \(LISTEN\)$/gm) ?? [];
    const pids = new Set(listeners.map((line) => Number(line.split(/ +/)[1])));
    assert.deepEqual(
      [...pids].sort((a, b) => a - b),
      [supervisor.pid, edge.pid],
    );
    // steps 3 and 4
    assert.match(stdout, /^The gateway was restarted at ws:\/\/127\.0\.0\.1:18789 /m);
    assert.match(stdout, /^Gateway healthy$/m);
    const after = await machine.status();
    assert.equal(after.edge.pid, edge.pid, "the edge was restarted");
    assert.ok(after.gateway.generation! > gateway.generation!);
    assert.equal(client.hasEnded, false, "a client noticed it");
    await machine.connect();
  });

  test("Run CLI Doctor after a kill -9 of everything: names it, and brings it back", async () => {
    await using machine = await Machine.create();
    await machine.start();
    const { supervisor, edge, gateway } = await machine.status();
    for (const { pid } of [supervisor, edge, gateway]) process.kill(pid!, "SIGKILL");
    await until(async () => (await isPortFree(PORT)) || undefined);

    const { code, stdout, stderr } = await machine.paste(DOCTOR);

    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Cause ended-without-record, likely\./m);
    assert.match(stdout, /^done: start the gateway on port 18789$/m);
    assert.match(stdout, /^Healthy: ws:\/\/127\.0\.0\.1:18789 is served$/m);
    await machine.connect();
  });

  test("Check Gateway Process: a line exactly when a gateway is there", async () => {
    await using machine = await Machine.create();
    const look = commandsOf(CHECK)[0]!;
    assert.deepEqual(await machine.gatewaysSeenBy(look), []);

    await machine.start();
    const first = (await machine.status()).gateway.pid!;
    assert.deepEqual(await machine.gatewaysSeenBy(look), [first]);

    process.kill(first, "SIGKILL");
    const second = await machine.untilGatewayIsNot(first);
    assert.deepEqual(await machine.gatewaysSeenBy(look), [second]);

    await machine.openclaw("gateway", "stop");
    assert.deepEqual(await machine.gatewaysSeenBy(look), []);

    // a killed tree: its gateway has nobody left to start it again, and leaves
    await machine.start();
    const { supervisor, edge } = await machine.status();
    for (const { pid } of [supervisor, edge]) process.kill(pid!, "SIGKILL");
    await until(async () => (await machine.gatewaysSeenBy(look)).length === 0 || undefined);
  });

  test("Check Gateway Process: the logs show the crash, and the line before it", async () => {
    await using machine = await Machine.create();
    await machine.start();
    const { pid } = (await machine.status()).gateway;
    const shell = machine.open(CHECK);
    await shell.prints(/gateway ready: generation 1/);
    assert.deepEqual(await machine.gatewaysIn(shell.output), [pid]);

    process.kill(pid!, "SIGKILL");

    await shell.prints(new RegExp(`━━ .* gateway ended: killed by SIGKILL .*pid ${pid}\\)`));
    await shell.prints(/gateway ready: generation 2/); // it follows across the restart
    await shell.interrupt();
    const lines = shell.output.split("\n");
    const crash = lines.findIndex((line) => line.startsWith("━━"));
    const before = lines.slice(0, crash).findLast((line) => line.includes(" gateway    "));
    assert.match(before!, /gateway ready: generation 1/);

    // and with everything down
    await machine.openclaw("gateway", "stop");
    const later = machine.open(CHECK);
    await later.prints(new RegExp(`━━ .* gateway ended: killed by SIGKILL .*pid ${pid}\\)`));
    assert.deepEqual(await machine.gatewaysIn(later.output), []);
    await later.interrupt();
  });

  test("Restart Gateway: restart, stop and start, without a wait between", async () => {
    await using machine = await Machine.create();
    await machine.start();
    const before = await machine.status();
    const { code, stdout, stderr } = await machine.paste(RESTART);
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /^The gateway was restarted .*\n(.*\n)*The gateway is stopped\nThe gateway is running /m,
    );
    const after = await machine.status();
    assert.equal(after.state, "healthy");
    assert.notEqual(after.supervisor.pid, before.supervisor.pid);
    await machine.connect();
  });

  test("Restart Gateway: line by line, with the wait", async () => {
    await using machine = await Machine.create();
    await machine.start();
    const [restart, stop, start] = commandsOf(RESTART) as [string, string, string];
    const client = await machine.connect();

    assert.equal((await machine.paste(restart)).code, 0);
    await machine.connect();
    assert.equal(client.hasEnded, false, "a client noticed it");

    assert.equal((await machine.paste(stop)).code, 0);
    assert.match(await client.ended, /^closed 1012 gateway stopped/m);
    assert.equal(await isPortFree(PORT), true);
    assert.equal((await machine.openclaw("gateway", "status")).code, 3);

    await sleep(PAGE_WAIT_MS);
    assert.equal((await machine.paste(start)).code, 0);
    assert.equal((await machine.openclaw("gateway", "status")).code, 0);
    await machine.connect();
  });

  test("Baseline Network Checks: status, logs until Ctrl-C, restart", async () => {
    await using machine = await Machine.create();
    await machine.start();
    const { generation } = (await machine.status()).gateway;
    const shell = machine.open(NETWORK);
    await shell.prints(/^Gateway healthy$/m);
    await shell.prints(/gateway ready: generation 1/);
    await shell.interruptCommand();
    assert.equal(await shell.ended, 0, shell.output);
    assert.match(shell.output, /^The gateway was restarted /m);
    assert.equal((await machine.status()).gateway.generation, generation! + 1);
  });

  for (const { name, upstream } of [
    { name: "the built-in gateway", upstream: undefined },
    { name: "a command that ignores SIGTERM", upstream: program("echo", "--ignore-sigterm") },
  ]) {
    test(`Kill Zombie on Port 18789, 20 times: ${name}`, async () => {
      await using machine = await Machine.create();
      if (upstream !== undefined) {
        const value = JSON.stringify({ type: "command", command: upstream });
        const set = await machine.openclaw("config", "set", "gateway.upstream", value);
        assert.equal(set.code, 0, set.stderr);
      }
      // once more than 20: the first finds nothing to kill
      let before: { status: Status; client: Client } | undefined;
      for (let round = 0; round <= 20; round++) {
        const { code, stderr } = await machine.paste(ZOMBIE);
        assert.equal(code, 0, `round ${round}: ${stderr}`);
        const [health, client] = await Promise.all([
          machine.openclaw("gateway", "status", "--json"),
          machine.connect(upstream !== undefined),
        ]);
        assert.equal(health.code, 0, `round ${round}: ${health.stdout}`);
        const status: Status = JSON.parse(health.stdout);
        if (before !== undefined) {
          // the line kills local clients too; one may see its edge die just before, or hear from a gateway whose
          // supervisor was the first to die
          assert.match(await before.client.ended, /^killed by SIGKILL$|closed 1006|closed 1012/);
          const { supervisor, edge, gateway } = before.status;
          for (const { pid } of [supervisor, edge, gateway]) {
            assert.equal(await isAlive(pid!), false, `round ${round}: pid ${pid} of the run before is alive`);
          }
        }
        before = { status, client };
      }
    });
  }
});

/** A client in a process of its own. */
interface Client {
  /** All it printed, or "killed by <signal>". */
  readonly ended: Promise<string>;
  readonly hasEnded: boolean;
}

/** A person's machine: a home directory without ClawKit's state, and a shell whose PATH ends with our `bin`. */
class Machine implements AsyncDisposable {
  readonly #home: string;
  readonly #children = new Set<ChildProcess>();

  private constructor(home: string) {
    this.#home = home;
  }

  static async create(): Promise<Machine> {
    assert.equal(await isPortFree(PORT), true, "the test before left something on the port");
    return new Machine(await mkdtemp(join(tmpdir(), "clawkit-page-")));
  }

  get #stateDir(): string {
    return join(this.#home, ".clawkit");
  }

  get #env(): NodeJS.ProcessEnv {
    const { PATH } = process.env;
    const kept = Object.entries(process.env).filter(([name]) => !/^(OPENCLAW|CLAWKIT)_/.test(name));
    return {
      ...Object.fromEntries(kept),
      PATH: `${PATH}:${join(ROOT, "bin")}`,
      HOME: this.#home,
      CLAWKIT_STATE_DIR: this.#stateDir,
      NO_COLOR: "1",
    };
  }

  /** Runs lines of the page to their end, as they stand. */
  paste(script: string): Promise<CommandResult> {
    return collect(this.#spawn("sh", ["-c", script]));
  }

  openclaw(...args: string[]): Promise<CommandResult> {
    return collect(this.#spawn("openclaw", args));
  }

  /** Runs lines of the page that go on until they are interrupted. */
  open(script: string): Shell {
    return new Shell(this.#spawn("sh", ["-c", script]));
  }

  async start(): Promise<void> {
    const { code, stderr } = await this.openclaw("gateway", "start");
    assert.equal(code, 0, stderr);
  }

  /** The supervisor's own word, by its control socket: looking leaves no trace on the port. */
  async status(): Promise<Status> {
    const path = socketPath(this.#stateDir, "control", process.platform, tmpdir());
    return (await callControl(path, { op: "status" }, () => undefined))!;
  }

  /** Polls: nothing announces to an onlooker that another gateway is ready. */
  untilGatewayIsNot(pid: number): Promise<number> {
    return until(async () => {
      const { state, gateway } = await this.status();
      return state === "healthy" && gateway.pid !== pid ? gateway.pid! : undefined;
    });
  }

  /** Connects a client of its own process; resolves once it had an answer from the gateway. */
  async connect(isEcho = false): Promise<Client> {
    const config = await readFile(join(this.#stateDir, "config.json5"), "utf8");
    const token = /\btoken: "([^"]+)"/.exec(config)![1]!;
    const [node, ...args] = program("client", `ws://127.0.0.1:${PORT}`, ...(isEcho ? [] : [token]));
    const child = this.#spawn(node!, args);
    let output = "";
    child.stdout!.on("data", (chunk) => (output += chunk));
    const ended = new Promise<string>((resolve) =>
      child.once("close", (_, signal) => resolve(signal === null ? output : `killed by ${signal}`)),
    );
    const over = ended.then((text) => assert.fail(`the client was not served: ${text}`));
    over.catch(() => undefined);
    await Promise.race([over, until(() => output.includes("served\n") || undefined)]);
    return {
      ended,
      get hasEnded() {
        return child.exitCode !== null || child.signalCode !== null;
      },
    };
  }

  /** The pids in a `ps` listing that a command of the page printed, those of this machine. */
  async gatewaysSeenBy(command: string): Promise<number[]> {
    return this.gatewaysIn((await this.paste(command)).stdout);
  }

  /**
   * The pids in a `ps` listing, those of this machine: other tests run gateways meanwhile, and `ps` shows them all.
   */
  async gatewaysIn(output: string): Promise<number[]> {
    const lines = output.split("\n").filter((line) => line.includes("openclaw gateway"));
    const pids = lines.map((line) => Number(line.split(/ +/)[1]));
    const ours = await processesOf(this.#stateDir);
    return pids.filter((pid) => ours.some((process) => process.pid === pid));
  }

  /** In a group of its own, as a terminal does with each command line. */
  #spawn(command: string, args: readonly string[]): ChildProcess {
    const child = spawn(command, args, {
      env: this.#env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#children.add(child);
    child.once("close", () => this.#children.delete(child));
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.openclaw("gateway", "stop");
    for (const child of this.#children) sendSignal(-child.pid!, "SIGKILL");
    await rm(this.#home, { recursive: true, force: true });
  }
}

/** A shell that runs lines of the page, with a person before it. */
class Shell {
  /** Standard output and error, as a terminal would show them. */
  output = "";
  /** Its exit code; null if Ctrl-C ended it. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (chunk) => (this.output += chunk));
    this.ended = new Promise((resolve) => child.once("close", (code) => resolve(code)));
  }

  async prints(pattern: RegExp): Promise<void> {
    const seen = () => pattern.test(this.output) || undefined;
    await until(seen).catch(() => assert.match(this.output, pattern));
  }

  /** Ctrl-C. */
  async interrupt(): Promise<void> {
    process.kill(-this.#child.pid!, "SIGINT");
    await this.ended;
  }

  /** Ctrl-C in an interactive shell, which goes on with the next line. */
  async interruptCommand(): Promise<void> {
    const { pid } = this.#child;
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
    process.kill(Number(children), "SIGINT");
  }
}

/** Why the page cannot be tried here, if so. */
async function whatIsMissing(): Promise<string | undefined> {
  if (process.platform !== "linux") return "these are the page's lines for Linux";
  for (const name of ["lsof", "ps", "xargs"]) {
    if ((await findOnPath(name)) === undefined) return `${name} is not installed`;
  }
  const openclaw = await findOnPath("openclaw");
  if (openclaw !== undefined) return `a shell finds another openclaw: ${openclaw}`;
  return (await isPortFree(PORT)) ? undefined : `port ${PORT} is in use`;
}

async function findOnPath(name: string): Promise<string | undefined> {
  for (const folder of process.env.PATH!.split(delimiter)) {
    const path = join(folder, name);
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}
