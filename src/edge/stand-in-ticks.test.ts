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

// with `{"type":"ack","ask":true}` clawkit/client left an edge whose next tick was 15 s off
test("a client that says something meanwhile gets one within a second, and one a second, as long as its gateway is away", (t) => {
  mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  t.after(() => mock.timers.reset());
  const linkOf = (name: string, sent: string[]) => ({ inject: () => sent.push(name) }) as unknown as Link;
  const sent: string[] = [];
  const [asks, isSilent] = [linkOf("asks", sent), linkOf("is silent", sent)];
  let unserved = [asks, isSilent];
  const ticks = new StandInTicks(() => unserved, { now: () => 0, wall: () => 7 });
  for (let i = 0; i < 20; i++) {
    ticks.asked(asks);
    mock.timers.tick(100);
  }
  assert.deepEqual(sent, ["asks", "asks"]);
  mock.timers.tick(5_000);
  assert.equal(sent.length, 2);
  ticks.asked(asks);
  unserved = [isSilent]; // the gateway that serves it again answers itself
  mock.timers.tick(1_000);
  assert.equal(sent.length, 2);
  unserved = [asks];
  ticks.asked(asks);
  ticks.stop();
  mock.timers.tick(60_000);
  assert.equal(sent.length, 2);
});
