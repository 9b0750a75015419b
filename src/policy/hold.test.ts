import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Held, HoldQueue, MAX_HANDSHAKES, MAX_HANDSHAKES_PER_ADDRESS } from "./hold.ts";

interface Client extends Held {
  readonly name: string;
}

const client = (name: string, address = name, deadline = 12_000): Client => ({ name, address, deadline });
const names = (clients: readonly Client[]) => clients.map(({ name }) => name).join(" ");

function queueOf(...clients: readonly Client[]): HoldQueue<Client> {
  const queue = new HoldQueue<Client>();
  for (const each of clients) queue.add(each);
  return queue;
}

const crowd = (count: number, address: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => client(`${i}`, address(i)));

describe("the hold queue", () => {
  it("starts clients in the order they came", () => {
    assert.equal(names(queueOf(client("a"), client("b"), client("c")).start()), "a b c");
  });

  it("starts nobody twice", () => {
    const queue = queueOf(client("a"));
    queue.start();
    assert.equal(names(queue.start()), "");
  });

  it("counts who waits, and who has no answer", () => {
    const queue = queueOf(client("a"), client("b"));
    queue.start();
    queue.add(client("c"));
    assert.deepEqual({ waiting: queue.waiting, size: queue.size }, { waiting: 1, size: 3 });
  });

  it("lists everyone without an answer, those who wait first", () => {
    const queue = queueOf(client("a"));
    queue.start();
    queue.add(client("b"));
    assert.equal(names(queue.entries()), "b a");
  });
});

describe("the limits", () => {
  it("are 24 handshakes for one address: the 25th waits", () => {
    const queue = queueOf(...crowd(30, () => "198.51.100.7"));
    assert.equal(queue.start().length, 24);
    assert.equal(queue.waiting, 6);
  });

  it("stay below the 32 that OpenClaw refuses", () => assert.ok(MAX_HANDSHAKES_PER_ADDRESS < 32));

  it("count clients that are let in and not yet answered, who no longer wait", () => {
    const crowded = crowd(25, () => "127.0.0.1");
    const queue = queueOf(...crowded);
    const started = queue.start();
    for (const each of started) queue.admit(each);
    assert.deepEqual({ size: queue.size, next: names(queue.start()) }, { size: 1, next: "" });
    queue.remove(started[3]!);
    assert.equal(names(queue.start()), "24");
    assert.equal(names(queue.expired(Infinity)), "24");
  });

  it("are 256 handshakes in all", () => {
    const queue = queueOf(...crowd(300, (i) => `10.0.0.${i}`));
    assert.equal(queue.start().length, 256);
  });

  it("let others pass an address at its limit", () => {
    const queue = queueOf(...crowd(25, () => "198.51.100.7"), client("other"));
    assert.equal(queue.start().at(-1)?.name, "other");
  });

  it("free a place when a client has its answer", () => {
    const clients = crowd(30, () => "198.51.100.7");
    const queue = queueOf(...clients);
    queue.start();
    queue.remove(clients[3]!);
    assert.equal(names(queue.start()), "24");
  });

  it("free a place when a handshake is put back", () => {
    const clients = crowd(24, () => "198.51.100.7");
    const queue = queueOf(...clients);
    queue.start();
    queue.putBack(clients[0]!);
    queue.remove(clients[0]!);
    queue.add(client("next", "198.51.100.7"));
    assert.equal(names(queue.start()), "next");
  });

  it("are not lowered by leaving twice", () => {
    const clients = crowd(48, () => "198.51.100.7");
    const queue = queueOf(...clients);
    queue.start();
    queue.remove(clients[0]!);
    queue.remove(clients[0]!);
    assert.equal(queue.start().length, 1);
  });
});

describe("a handshake that failed because the gateway is away", () => {
  it("waits again, before those who came later", () => {
    const [a, b, c] = [client("a"), client("b"), client("c")];
    const queue = queueOf(a);
    queue.start();
    queue.add(b);
    queue.add(c);
    queue.putBack(a);
    assert.equal(names(queue.start()), "a b c");
  });

  // The gateway dies under three handshakes: their links report one after the other, in the order they began.
  it("waits again behind nobody who came later, also when several fail", () => {
    const [a, b, c] = [client("a"), client("b"), client("c")];
    const queue = queueOf(a, b, c);
    queue.start();
    queue.add(client("d"));
    for (const failed of [a, b, c]) queue.putBack(failed);
    assert.equal(names(queue.start()), "a b c d");
  });

  it("waits again behind nobody who came later, also when they fail in another order", () => {
    const [a, b, c] = [client("a"), client("b"), client("c")];
    const queue = queueOf(a, b, c);
    queue.start();
    queue.add(client("d"));
    for (const failed of [c, a, b]) queue.putBack(failed);
    assert.equal(names(queue.start()), "a b c d");
  });

  it("is not put back once it left", () => {
    const a = client("a");
    const queue = queueOf(a);
    queue.start();
    queue.remove(a);
    queue.putBack(a);
    assert.equal(queue.size, 0);
  });

  it("is not put back when it was waiting anyway", () => {
    const [a, b] = [client("a"), client("b")];
    const queue = queueOf(a, b);
    queue.putBack(b);
    assert.equal(names(queue.start()), "a b");
  });
});

describe("a client whose time has run out", () => {
  it("is told at its deadline, not before", () => {
    const queue = queueOf(client("a", "a", 12_000));
    assert.deepEqual([names(queue.expired(11_999)), names(queue.expired(12_000))], ["", "a"]);
  });

  it("is told whether it waits or is in a handshake", () => {
    const queue = queueOf(client("a", "a", 5_000));
    queue.start();
    queue.add(client("b", "b", 5_000));
    queue.add(client("c", "c", 6_000));
    assert.deepEqual(names(queue.expired(5_000)).split(" ").sort(), ["a", "b"]);
  });

  it("keeps its deadline when it is put back", () => {
    const a = client("a", "a", 5_000);
    const queue = queueOf(a);
    queue.start();
    queue.putBack(a);
    assert.equal(names(queue.expired(5_000)), "a");
  });

  it("stays until it is removed", () => {
    const a = client("a", "a", 5_000);
    const queue = queueOf(a);
    queue.expired(5_000);
    assert.equal(queue.size, 1);
    queue.remove(a);
    assert.equal(queue.size, 0);
  });
});

describe("whatever clients do", () => {
  type Step = { readonly kind: "add" | "start" | "putBack" | "remove"; readonly pick: number };
  const steps: fc.Arbitrary<Step[]> = fc.array(
    fc.record({
      kind: fc.constantFrom("add", "add", "add", "start", "putBack", "remove"),
      pick: fc.nat(1000),
    }),
    { maxLength: 300 },
  );
  const addressOf = (pick: number) => `10.0.0.${pick % 3}`;

  /** Plays the steps and, after each, shows who has started and who is in the queue by a simple account of it. */
  function play(
    script: readonly Step[],
    look: (queue: HoldQueue<Client>, started: Set<Client>, all: Set<Client>) => void,
  ) {
    const queue = new HoldQueue<Client>();
    const all = new Set<Client>();
    const started = new Set<Client>();
    for (const [i, { kind, pick }] of script.entries()) {
      const picked = [...all][pick % Math.max(1, all.size)];
      if (kind === "add") {
        const added = client(`${i}`, addressOf(pick));
        queue.add(added);
        all.add(added);
      } else if (kind === "start") {
        for (const each of queue.start()) started.add(each);
      } else if (picked !== undefined) {
        queue[kind](picked);
        started.delete(picked);
        if (kind === "remove") all.delete(picked);
      }
      look(queue, started, all);
    }
  }

  it("nobody is lost or doubled", () => {
    fc.assert(
      fc.property(steps, (script) =>
        play(script, (queue, started, all) => {
          assert.deepEqual(new Set(queue.entries()), all);
          assert.equal(queue.entries().length, all.size);
          assert.equal(queue.waiting, all.size - started.size);
        }),
      ),
    );
  });

  it("no limit is exceeded", () => {
    fc.assert(
      fc.property(steps, (script) =>
        play(script, (_queue, started) => {
          const of = (address: string) => [...started].filter((each) => each.address === address).length;
          assert.ok(started.size <= MAX_HANDSHAKES);
          for (const address of [0, 1, 2].map(addressOf))
            assert.ok(of(address) <= MAX_HANDSHAKES_PER_ADDRESS);
        }),
      ),
    );
  });

  it("nobody waits for a place that is free", () => {
    fc.assert(
      fc.property(steps, (script) =>
        play(script, (queue, started, all) => {
          for (const each of queue.start()) started.add(each);
          const waiting = [...all].filter((each) => !started.has(each));
          for (const { address } of waiting) {
            const underWay = [...started].filter((each) => each.address === address).length;
            assert.equal(underWay, MAX_HANDSHAKES_PER_ADDRESS);
          }
        }),
      ),
    );
  });
});
