import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { tickFrame } from "./dialects/openclaw.ts";
import type { Link } from "./link.ts";
import { StandInTicks } from "./stand-in-ticks.ts";

test("clients get ticks as long as their gateway sends none, and no longer", (t) => {
  mock.timers.enable({ apis: ["setInterval"] });
  t.after(() => mock.timers.reset());
  const sent: Buffer[] = [];
  const link = { inject: (frame: Buffer) => sent.push(frame) } as unknown as Link;
  let unserved: Link[] = [];
  const ticks = new StandInTicks(() => unserved, { now: () => 0, wall: () => 7 });
  mock.timers.tick(60_000);
  assert.deepEqual(sent, []);
  unserved = [link];
  mock.timers.tick(30_000);
  assert.deepEqual(sent, [tickFrame(7), tickFrame(7)]);
  unserved = [];
  mock.timers.tick(60_000);
  assert.equal(sent.length, 2);
  unserved = [link];
  ticks.stop();
  mock.timers.tick(60_000);
  assert.equal(sent.length, 2);
});
