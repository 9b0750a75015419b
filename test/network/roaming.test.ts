import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, type TestContext, test } from "node:test";
import { networkOf } from "../../src/core/address-ranges.ts";
import { program, ROOT, sleep, TestClawkit, until } from "../helpers/clawkit.ts";
import { whyNoNamespaces } from "../helpers/network.ts";
import { type ClosedConnection, connections } from "../helpers/recorded.ts";
import { exits } from "../helpers/results.ts";
import { Roamer } from "./roamer.ts";
import type { Told } from "./talker.ts";

const INTERVAL_SEC = 5;
const TIMEOUT_SEC = 3;

/** The jitter of the interval, and two sweeps of a second that see a pong, or that none came. */
const NOTICED_MS = INTERVAL_SEC * 1_100 + TIMEOUT_SEC * 1_000 + 2_000;

/** As a client that looks after itself: later than the edge. */
const PATIENCE_MS = NOTICED_MS + 2_000;

/** Shorter than interval and timeout, and longer than anybody's round trip. */
const BLINK_MS = 2_000;

const gateway = {
  bind: "lan",
  upstream: { type: "command", command: program("echo"), trustsEdge: true },
  keepalive: { intervalSec: INTERVAL_SEC, timeoutSec: TIMEOUT_SEC },
};

/** One client on a host that moves, and what it told. */
class Talker implements Disposable {
  readonly told: Told[] = [];
  readonly child: ChildProcess;

  constructor(host: Roamer, port: number) {
    const script = join(ROOT, "test/network/talker.ts");
    const url = `ws://${host.gateway}:${port}`;
    const [ip, ...args] = [...host.onClient, process.execPath, script, url, `${PATIENCE_MS}`];
    // `ip netns exec` becomes the program: the pid is its own
    this.child = spawn(ip!, args, { stdio: ["ignore", "pipe", "inherit"] });
    createInterface({ input: this.child.stdout! }).on("line", (line) =>
      this.told.push(JSON.parse(line) as Told),
    );
  }

  /** Resolves when `count` more echoes have come. */
  async echoes(count: number): Promise<void> {
    const wanted = this.#count("echo") + count;
    await until(() => this.#count("echo") >= wanted, 40_000);
  }

  get opened(): number {
    return this.#count("open");
  }

  [Symbol.dispose](): void {
    this.child.kill("SIGKILL");
  }

  #count(event: Told["event"]): number {
    return this.told.filter((told) => told.event === event).length;
  }
}

interface Gone {
  readonly host: Roamer;
  readonly goneAt: number;
}

/** Waits until the edge has noticed that the peer is gone, and checks when and what it says of it. */
async function noticed(t: TestContext, clawkit: TestClawkit, { host, goneAt }: Gone): Promise<void> {
  const found = await until(async () => {
    const rows = await connections(clawkit);
    return rows.find(
      (row): row is ClosedConnection =>
        networkOf(row.address) === networkOf(host.outside) && row.end !== null,
    );
  }, NOTICED_MS + 10_000);
  const { at, by, cause, code } = found.end;
  assert.deepEqual([by, cause, code], ["network", "client-unreachable", 3008]);
  // its end is written down when the client had its two seconds to answer the Close frame
  const afterMs = at - goneAt - 2_000;
  t.diagnostic(`noticed after ${(afterMs / 1_000).toFixed(1)} s`);
  assert.ok(afterMs <= NOTICED_MS, `noticed after ${afterMs} ms`);
  const { stdout } = await exits(0, clawkit.cli("why", found.id));
  assert.match(stdout, /no answer to a ping within 3 s/);
}

describe("a client that moves", {
  skip: process.env.CI ? false : whyNoNamespaces(),
  concurrency: 6,
  timeout: 90_000,
}, () => {
  let clawkit: TestClawkit;
  test.before(async () => {
    clawkit = await TestClawkit.run({ gateway });
  });
  test.after(() => clawkit[Symbol.asyncDispose]());

  const dying: Record<
    string,
    {
      before?: (host: Roamer) => void;
      go: (host: Roamer, talker: Talker) => void;
      back: (host: Roamer, talker: Talker) => void;
    }
  > = {
    "whose address changes": { go: (host) => host.changeAddress(), back: () => undefined },
    "whose cable is cut for longer than interval and timeout": {
      go: (host) => host.cutCable(),
      back: (host) => host.mendCable(),
    },
    "whose VPN goes, and comes back": {
      before: (host) => host.startVpn(),
      go: (host) => host.stopVpn(),
      back: (host) => host.startVpn(),
    },
    "that sleeps": {
      go: (_, { child }) => child.kill("SIGSTOP"),
      back: (_, { child }) => child.kill("SIGCONT"),
    },
  };
  for (const [what, { before, go, back }] of Object.entries(dying)) {
    test(`${what}: the edge notices within interval and timeout, and the client is served again`, async (t) => {
      using host = new Roamer();
      before?.(host);
      using talker = new Talker(host, clawkit.port);
      await talker.echoes(3);
      const goneAt = Date.now();
      go(host, talker);
      await noticed(t, clawkit, { host, goneAt });
      back(host, talker);
      await until(() => talker.opened > 1, 40_000);
      await talker.echoes(3);
    });
  }

  for (const [what, go, back] of [
    ["whose cable is cut", (host: Roamer) => host.cutCable(), (host: Roamer) => host.mendCable()],
    [
      "that stops",
      (_: Roamer, { child }: Talker) => child.kill("SIGSTOP"),
      (_: Roamer, { child }: Talker) => child.kill("SIGCONT"),
    ],
  ] as const) {
    test(`${what} for ${BLINK_MS / 1_000} s loses nothing`, async () => {
      using host = new Roamer();
      using talker = new Talker(host, clawkit.port);
      await talker.echoes(3);
      go(host, talker);
      await sleep(BLINK_MS);
      back(host, talker);
      await talker.echoes(30);
      assert.deepEqual([talker.opened, talker.told.filter(({ event }) => event === "closed")], [1, []]);
      const last = talker.told.findLast((told) => told.event === "echo");
      assert.equal(last?.missing, 0);
    });
  }
});
