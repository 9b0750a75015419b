import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { describe, type TestContext, test } from "node:test";
import { encodeClose, encodeFrame, OPCODE } from "../protocol/frames.ts";
import { probeIdle } from "./idle.ts";
import { leftAlone } from "./left-alone.ts";
import { ProbeLink } from "./probe-link.ts";
import type { IdleReport } from "./types.ts";

const STEP_MS = 100;

/** What a path and its server do; seconds. */
interface Behaviour {
  readonly idle?: { readonly sec: number; readonly kind: Exclude<IdleReport["kind"], "none"> };
  /** The server closes with 1000 then, whatever is said. */
  readonly lifeSec?: number;
  /** The server pings by itself. */
  readonly pingsEverySec?: number;
  readonly isChallenged?: boolean;
  /** Only so many connections are let in at a time. */
  readonly most?: number;
}

/** The far end of a connection, with its own timers: it answers pings as every WebSocket server. */
class FakeSocket extends Duplex {
  readonly #behaviour: Behaviour;
  #lastAt = performance.now();
  #idleTimer: NodeJS.Timeout | undefined;
  #isForgotten = false;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(behaviour: Behaviour) {
    super();
    this.#behaviour = behaviour;
    const { lifeSec, pingsEverySec } = behaviour;
    if (lifeSec !== undefined)
      this.#timers.push(setTimeout(() => this.#say(encodeClose(1000, "")), lifeSec * 1000));
    if (pingsEverySec !== undefined) {
      this.#timers.push(
        setInterval(() => this.#say(encodeFrame(OPCODE.ping, Buffer.from("server"))), pingsEverySec * 1000),
      );
    }
    this.#traffic();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.#traffic();
    const isForgotten = this.#isForgotten;
    if (isForgotten && this.#behaviour.idle?.kind === "reset") {
      this.destroy(Object.assign(new Error("reset"), { code: "ECONNRESET" }));
    }
    const length = chunk[1]! & 0x7f;
    const payload = chunk.subarray(6, 6 + length).map((byte, at) => byte ^ chunk[2 + (at & 3)]!);
    done();
    if (isForgotten || chunk[0] !== 0x89) return;
    process.nextTick(() => this.push(encodeFrame(OPCODE.pong, Buffer.from(payload)))); // never at once
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#idleTimer);
    for (const timer of this.#timers) clearTimeout(timer);
    done(error);
  }

  destroySoon(): void {
    this.destroy();
  }

  #say(frame: Buffer): void {
    this.#traffic();
    if (!this.#isForgotten && !this.destroyed) this.push(frame);
  }

  #traffic(): void {
    const { idle } = this.#behaviour;
    if (idle === undefined) return;
    if (performance.now() - this.#lastAt >= idle.sec * 1000) this.#isForgotten = true;
    this.#lastAt = performance.now();
    clearTimeout(this.#idleTimer);
    if (idle.kind === "silent-drop" || idle.kind === "reset") return;
    this.#idleTimer = setTimeout(() => {
      this.push(idle.kind === "fin" ? null : encodeClose(4008, "too quiet"));
    }, idle.sec * 1000);
  }
}

/** Measures a path on a clock that takes no time; the report, and the seconds that a person would have waited. */
async function measured(t: TestContext, behaviour: Behaviour, maxSec: number) {
  let now = 0;
  t.mock.method(performance, "now", () => now);
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const stop = new AbortController();
  const sockets = new Set<FakeSocket>();
  const open = async () => {
    if (sockets.size === behaviour.most) throw new Error("429 Too Many Requests");
    const socket = new FakeSocket(behaviour);
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    return new ProbeLink(socket as unknown as Socket, Buffer.alloc(0));
  };
  const way = { open, isChallenged: behaviour.isChallenged ?? false, pingMs: 0 };
  const idle = await passed(probeIdle(way, { maxSec, signal: stop.signal, onProgress: () => undefined }));
  assert.equal(sockets.size, 0, "nothing is left open");
  const waitedSec = now / 1000;
  /** Whether a client that pings as often as that is alive after so long. */
  const isKept = async (everySec: number, forSec: number): Promise<boolean> => {
    const link = await open();
    const options = { silentSec: everySec, pongMs: 2_000, signal: stop.signal, isKept: true };
    for (let sec = 0; sec < forSec; sec += everySec) {
      if ((await passed(leftAlone(link, options)))?.end.kind !== "alive") return false;
    }
    return true;
  };
  return { idle, waitedSec, isKept };

  async function passed<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    void work.finally(() => (isOver = true));
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (isOver) return await work;
      now += STEP_MS;
      t.mock.timers.tick(STEP_MS);
    }
  }
}

describe("the measurement of an idle limit", () => {
  for (const kind of ["silent-drop", "reset", "fin", "close"] as const) {
    for (const sec of [12, 45, 100, 350, 600]) {
      test(`finds ${sec} s by ${kind}, and a keepalive that survives ten times as long`, async (t) => {
        const { idle, waitedSec, isKept } = await measured(t, { idle: { sec, kind } }, 2 * sec);
        assert.equal(idle.kind, kind);
        assert.ok(Math.abs(idle.limitSec! - sec) <= Math.max(2, 0.1 * sec), `${idle.limitSec}`);
        assert.ok(idle.recommendedKeepaliveSec <= sec / 2);
        assert.deepEqual([idle.keepaliveHolds, idle.life, idle.refused], [true, null, null]);
        assert.equal(idle.othersSurvivedSec, null);
        assert.ok(waitedSec < 6 * sec, `waited ${waitedSec} s`);
        assert.ok(await isKept(idle.recommendedKeepaliveSec, 10 * sec));
        assert.ok(!(await isKept(sec + 1, 10 * sec)));
      });
    }
  }

  test("tells a gateway that closes who does not sign in from an idle limit", async (t) => {
    const { idle, waitedSec } = await measured(t, { lifeSec: 15, isChallenged: true }, 600);
    assert.deepEqual([idle.limitSec, idle.kind, idle.recommendedKeepaliveSec], [null, "none", 20]);
    assert.deepEqual(idle.life, { sec: 15, kind: "close", code: 1000, reason: "", isSignIn: true });
    assert.ok(idle.survivedSec >= 14 && idle.survivedSec <= 15);
    assert.ok(waitedSec < 60);
  });

  test("finds a shorter limit in front of such a gateway all the same", async (t) => {
    const behaviour = { lifeSec: 15, isChallenged: true, idle: { sec: 10, kind: "silent-drop" } } as const;
    const { idle } = await measured(t, behaviour, 600);
    assert.equal(idle.kind, "silent-drop");
    assert.ok(Math.abs(idle.limitSec! - 10) <= 1, `${idle.limitSec}`);
    assert.equal(idle.recommendedKeepaliveSec, 4);
    assert.notEqual(idle.keepaliveHolds, false);
  });

  test("says how often the server speaks, and does not wait for what cannot be silent", async (t) => {
    const { idle, waitedSec } = await measured(t, { pingsEverySec: 20, idle: { sec: 60, kind: "fin" } }, 600);
    assert.deepEqual([idle.limitSec, idle.kind, idle.serverSpeaksSec], [null, "none", 20]);
    assert.ok(waitedSec < 90, `waited ${waitedSec} s`);
  });

  test("finds none where there is none", async (t) => {
    const { idle } = await measured(t, {}, 600);
    assert.deepEqual([idle.limitSec, idle.kind, idle.survivedSec, idle.life], [null, "none", 600, null]);
  });

  test("goes on with what is let in, and says why the others were not", async (t) => {
    const { idle } = await measured(t, { most: 3, idle: { sec: 12, kind: "reset" } }, 60);
    assert.equal(idle.refused, "429 Too Many Requests");
    assert.equal(idle.kind, "reset");
    assert.ok(Math.abs(idle.limitSec! - 12) <= 2, `${idle.limitSec}`);
  });
});
