import assert from "node:assert/strict";
import { beforeEach, describe, mock, type TestContext, test } from "node:test";
import { Random } from "../../test/helpers/random.ts";
import type { CauseId } from "../core/causes.ts";
import type { EdgeSettings } from "../core/messages.ts";
import type { NetworkTimer } from "../core/network-timer.ts";
import type { KeepaliveState } from "../policy/keepalive.ts";
import { KeepaliveSweep } from "./keepalive-sweep.ts";
import type { Link } from "./link.ts";

const SECOND = 1_000;
const DAY_SECONDS = 24 * 3_600;

/** A client behind a box; pongs arrive within the second, unless the box has forgotten the connection. */
class Client {
  readonly clientAddress: string;
  readonly pings: number[] = [];
  keepalive!: KeepaliveState;
  isOpen = true;
  readonly isClientPaused = false;
  readonly client = { bytesWritten: 0 };
  /** What the box does with a connection that was silent for longer. */
  limitMs: number;
  onForgotten: "silence" | "reset" = "silence";
  isAsleep = false;
  readonly #world: World;
  #silentSince: number;
  #heard = true;

  constructor(world: World, clientAddress: string, limitMs: number) {
    this.#world = world;
    this.clientAddress = clientAddress;
    this.limitMs = limitMs;
    this.#silentSince = world.now;
  }

  talk(): void {
    this.#heard = true;
    this.#silentSince = this.#world.now;
  }

  takeHeard(): boolean {
    const heard = this.#heard;
    this.#heard = false;
    return heard;
  }

  ping(): void {
    const { now } = this.#world;
    this.pings.push(now / SECOND);
    this.client.bytesWritten += 9;
    if (this.isAsleep) return;
    if (now - this.#silentSince <= this.limitMs) this.talk();
    else if (this.onForgotten === "reset") this.#world.end(this, "client-reset");
  }

  end(_code: number, _reason: string, { cause }: { cause: CauseId }): void {
    this.#world.end(this, cause);
  }
}

class World {
  now = 1_000 * SECOND;
  wall = Date.parse("2026-11-22T10:00:00Z");
  readonly links = new Map<Link, unknown>();
  readonly ended: { client: Client; cause: CauseId; at: number }[] = [];
  readonly logged: string[] = [];
  kept: readonly NetworkTimer[] = [];
  readonly sweep: KeepaliveSweep;

  constructor(t: TestContext, changes: Partial<EdgeSettings["keepalive"]> = {}) {
    const keepalive = { enabled: true, adaptive: true, intervalMs: 20_000, timeoutMs: 10_000, ...changes };
    const chance = new Random(1);
    this.sweep = new KeepaliveSweep(this.links, {
      settings: { keepalive } as EdgeSettings,
      clock: { now: () => this.now, wall: () => this.wall },
      log: (text) => this.logged.push(text),
      random: () => chance.next(),
      learnedTimers: [],
      keepTimers: (timers) => (this.kept = timers),
    });
    t.after(() => this.sweep.stop());
  }

  join(address: string, limitMs = Number.POSITIVE_INFINITY): Client {
    const client = new Client(this, address, limitMs);
    client.keepalive = this.sweep.begin(address);
    this.links.set(client as unknown as Link, undefined);
    return client;
  }

  joinMany(count: number, network: string, limitMs?: number): Client[] {
    return Array.from({ length: count }, (_, index) => this.join(`${network}.${index + 1}`, limitMs));
  }

  end(client: Client, cause: CauseId): void {
    client.isOpen = false;
    this.links.delete(client as unknown as Link);
    this.sweep.ended(client as unknown as Link, cause);
    this.ended.push({ client, cause, at: this.now / SECOND });
  }

  run(seconds: number, everySecond: () => void = () => undefined): void {
    for (let second = 0; second < seconds; second++) {
      this.now += SECOND;
      this.wall += SECOND;
      mock.timers.tick(SECOND);
      everySecond();
    }
  }

  /** The network learns its limit: those who are lost come back, as clients do. */
  learn(network: string, limitMs: number): Client[] {
    this.joinMany(10, network, limitMs);
    this.run(35);
    const again = this.joinMany(10, network, limitMs);
    assert.equal(this.kept.length, 1);
    this.ended.length = 0;
    return again;
  }

  /** A day later by the wall clock: nobody has to live through it. */
  sleepless(seconds: number): void {
    this.wall += seconds * SECOND;
  }
}

beforeEach((t) => {
  mock.timers.enable({ apis: ["setInterval"] });
  (t as TestContext).after(() => mock.timers.reset());
});

const perClient = (clients: readonly Client[]) =>
  clients.reduce((sum, { pings }) => sum + pings.length, 0) / clients.length;

describe("a network whose boxes forget after 15 s", () => {
  test("loses nobody once it is learned, beside the one of the trial, which is counted", (t) => {
    const world = new World(t);
    const clients = world.learn("192.0.2", 15_000);
    world.run(600);
    assert.deepEqual(
      world.ended.map(({ cause }) => cause),
      ["client-unreachable"],
    );
    assert.equal(world.kept[0]!.trialDrops, 1);
    const alive = clients.filter(({ isOpen }) => isOpen);
    const pings = perClient(alive);
    assert.ok(pings <= 1.5 * (600 / 15), `${pings} pings in 600 s`);
  });

  test("costs others no ping", (t) => {
    const pings = [true, false].map((adaptive) => {
      const world = new World(t, { adaptive });
      const others = [...world.joinMany(50, "198.51.100", 45_000), ...world.joinMany(50, "203.0.113")];
      world.joinMany(10, "192.0.2", 15_000);
      world.run(600);
      return perClient(others);
    });
    assert.ok(Math.abs(pings[0]! / pings[1]! - 1) < 0.02, `${pings}`);
  });

  test("saves those who are about to be forgotten as soon as three are lost", (t) => {
    const world = new World(t);
    // they come one by one, as clients do
    world.run(60, () => world.links.size < 60 && world.join(`192.0.2.${world.links.size + 1}`, 15_000));
    world.run(60);
    assert.ok(world.ended.length < 30, `${world.ended.length} of 60 lost`);
  });
});

test("a box that answers the ping of a connection it forgot with a reset is learned of like a silent one", (t) => {
  const world = new World(t);
  for (const client of world.joinMany(30, "192.0.2", 15_000)) client.onForgotten = "reset";
  world.run(60);
  assert.equal(world.kept.length, 1);
  world.ended.length = 0;
  for (const client of world.joinMany(30, "192.0.2", 15_000)) client.onForgotten = "reset";
  world.run(600);
  assert.equal(world.ended.length, world.kept[0]!.trialDrops);
});

test("a limit that only the latest pings meet is learned, and stays so", (t) => {
  const world = new World(t);
  world.joinMany(30, "192.0.2", 21_000);
  world.run(60);
  assert.equal(world.kept.length, 1);
  world.ended.length = 0;
  world.joinMany(30, "192.0.2", 21_000);
  world.run(3_600);
  assert.deepEqual([world.ended.length, world.kept[0]?.trialDrops], [1, 1]);
});

describe("nothing is learned", () => {
  const outcomes = (world: World) => [world.kept, world.ended.map(({ cause }) => cause)];

  test("of clients that reset or close without a ping, however often", (t) => {
    const world = new World(t);
    for (const client of world.joinMany(10, "192.0.2", 60_000)) world.end(client, "client-reset");
    world.run(60);
    assert.deepEqual(outcomes(world), [[], Array(10).fill("client-reset")]);
  });

  test("of loopback, where a tunnel may bring clients from anywhere", (t) => {
    const world = new World(t);
    for (let i = 0; i < 10; i++) world.join("127.0.0.1", 15_000);
    world.run(60);
    assert.deepEqual(outcomes(world), [[], Array(10).fill("client-unreachable")]);
  });

  test("with adaptive off", (t) => {
    const world = new World(t, { adaptive: false });
    world.joinMany(10, "192.0.2", 15_000);
    world.run(60);
    assert.deepEqual(outcomes(world), [[], Array(10).fill("client-unreachable")]);
  });

  test("of laptops that were closed while others were as silent, and live", (t) => {
    const world = new World(t);
    const clients = world.joinMany(20, "192.0.2");
    world.run(60);
    for (const client of clients.slice(0, 6)) {
      client.isAsleep = true;
      world.run(15);
    }
    world.run(30);
    assert.equal(world.ended.length, 6);
    assert.deepEqual(world.kept, []);
  });

  test("for long of an outage: what was in force holds when it is tried again", (t) => {
    const world = new World(t);
    for (const client of world.joinMany(10, "192.0.2")) client.isAsleep = true;
    world.run(35);
    assert.equal(world.kept[0]?.network, "192.0.2.0/24");
    world.joinMany(10, "192.0.2");
    world.ended.length = 0;
    world.run(180);
    assert.deepEqual(outcomes(world), [[], []]);
  });
});

describe("a trial", () => {
  test("is made on one link, once a day", (t) => {
    const world = new World(t);
    world.learn("192.0.2", 15_000);
    const drops = [];
    for (let day = 0; day < 4; day++) {
      world.run(300);
      drops.push(world.ended.length);
      world.sleepless(DAY_SECONDS);
      world.joinMany(1, "192.0.2", 15_000);
    }
    assert.deepEqual(drops, [1, 2, 3, 4]);
    assert.equal(world.kept[0]!.trialDrops, 4);
  });

  test("goes on with another link when its own is closed, and costs nothing then", (t) => {
    const world = new World(t);
    const clients = world.learn("192.0.2", 15_000);
    const onTrial = () => clients.filter(({ isOpen, keepalive }) => isOpen && keepalive.rules.isTrial);
    world.run(60, () => {
      for (const client of onTrial()) world.end(client, "client-closed");
    });
    assert.ok(world.ended.length > 1);
    assert.equal(world.kept[0]!.trialDrops, 0);
    world.run(60);
    assert.equal(world.kept[0]!.trialDrops, 1);
  });

  test("that goes from one client that talks to the next is told once", (t) => {
    const world = new World(t);
    const clients = world.learn("192.0.2", 15_000);
    world.logged.length = 0;
    let second = 0;
    world.run(600, () => {
      second++;
      for (const [index, client] of clients.entries()) if ((second + index) % 12 === 0) client.talk();
    });
    assert.deepEqual(
      world.logged.filter((text) => text.includes("are tried")),
      ["keepalive: 192.0.2.0/24: 20 s between pings are tried on one client"],
    );
  });

  test("whose box answers the ping with a reset has failed", (t) => {
    const world = new World(t);
    const clients = world.learn("192.0.2", 15_000);
    for (const client of clients) client.onForgotten = "reset";
    world.run(180);
    assert.deepEqual(
      world.ended.map(({ cause }) => cause),
      ["client-reset"],
    );
    assert.equal(world.kept[0]!.trialDrops, 1);
  });

  test("whose box forgot it while the machine slept has shown nothing", (t) => {
    const world = new World(t);
    const clients = world.learn("192.0.2", 15_000);
    const onTrial = () => clients.find(({ isOpen, keepalive }) => isOpen && keepalive.rules.isTrial);
    while (onTrial() === undefined) world.run(1);
    Object.assign(onTrial()!, { onForgotten: "reset", limitMs: 0 });
    world.sweep.checkAll();
    world.run(6);
    assert.deepEqual(
      world.ended.map(({ cause }) => cause),
      ["client-reset"],
    );
    assert.equal(world.kept[0]!.trialDrops, 0);
  });

  test("is over when the box has become patient: pings go as the config says", (t) => {
    const world = new World(t);
    const clients = world.learn("192.0.2", 15_000);
    for (const client of clients) client.limitMs = 60_000;
    world.run(300);
    assert.deepEqual([world.kept, world.ended], [[], []]);
    const before = perClient(clients);
    world.run(600);
    assert.ok(perClient(clients) - before <= 33, `${perClient(clients) - before} pings in 600 s`);
  });
});

describe("after a sleep of the machine", () => {
  test("all links are looked at within 5 s, spread", (t) => {
    const world = new World(t);
    const clients = world.joinMany(200, "192.0.2");
    world.run(30);
    for (const client of clients) client.pings.length = 0;
    const wokeAt = world.now / SECOND;
    world.sweep.checkAll();
    world.run(6);
    const first = clients.map(({ pings }) => (pings[0] ?? Number.POSITIVE_INFINITY) - wokeAt);
    assert.ok(Math.max(...first) <= 5, `${Math.max(...first)} s`);
    for (let second = 1; second <= 5; second++) {
      const now = first.filter((at) => Math.ceil(at) === second).length;
      assert.ok(now >= 10 && now <= 80, `${now} of 200 in second ${second}`);
    }
  });

  test("who was forgotten meanwhile is found, and that is no limit of the network", (t) => {
    const world = new World(t);
    for (const client of world.joinMany(20, "192.0.2")) client.isAsleep = true;
    world.run(17); // the last of that silence is all that the clock counted
    world.sweep.checkAll();
    world.run(16);
    assert.deepEqual([world.ended.length, world.kept], [20, []]);
    assert.match(world.logged.at(-1)!, /no answer to a ping$/);
  });

  test("so is who had a ping under way", (t) => {
    const world = new World(t);
    for (const client of world.joinMany(20, "192.0.2")) client.isAsleep = true;
    world.run(23);
    world.sweep.checkAll();
    world.run(16);
    assert.deepEqual([world.ended.length, world.kept], [20, []]);
  });
});

test("after a stall of the edge pings that came due are spread, and nobody is given up for it", (t) => {
  const world = new World(t);
  const clients = world.joinMany(200, "192.0.2");
  world.run(5);
  world.now += 60 * SECOND;
  world.wall += 60 * SECOND;
  world.run(1);
  const before = world.now / SECOND;
  world.run(6);
  const first = clients.map(({ pings }) => pings[0]! - before);
  assert.ok(Math.max(...first) <= 5 && new Set(first).size >= 5, `${[...new Set(first)]}`);
  assert.deepEqual([world.ended, world.kept], [[], []]);
});
