import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { tickFrame } from "./dialects/openclaw.ts";
import type { GatewayMonitor } from "./gateway-monitor.ts";
import type { Link } from "./link.ts";
import { StandInTicks } from "./stand-in-ticks.ts";

test("clients get ticks as long as their gateway is busy, and no longer", (t) => {
  mock.timers.enable({ apis: ["setInterval"] });
  t.after(() => mock.timers.reset());
  const sent: Buffer[] = [];
  const link = { inject: (frame: Buffer) => sent.push(frame) } as unknown as Link;
  const monitor = { isBusy: false };
  const ticks = new StandInTicks(new Map([[link, undefined]]), {
    clock: { now: () => 0, wall: () => 7 },
    monitor: monitor as GatewayMonitor,
  });
  mock.timers.tick(60_000);
  assert.deepEqual(sent, []);
  monitor.isBusy = true;
  mock.timers.tick(30_000);
  assert.deepEqual(sent, [tickFrame(7), tickFrame(7)]);
  monitor.isBusy = false;
  mock.timers.tick(60_000);
  assert.equal(sent.length, 2);
  monitor.isBusy = true;
  ticks.stop();
  mock.timers.tick(60_000);
  assert.equal(sent.length, 2);
});
