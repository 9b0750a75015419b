import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultConfig } from "../config/parse.ts";
import type { Config } from "../config/schema.ts";
import { ConfigInForce } from "./config-in-force.ts";
import { ConfigWatch } from "./config-watch.ts";
import type { EdgeRunner } from "./edge-runner.ts";
import type { GatewayRunner } from "./gateway-runner.ts";

/** A gateway that has refused to start, and a config that changed since. */
function refused() {
  const changed = defaultConfig();
  const started: Config[] = [];
  const gateway = {
    isRefused: true,
    start: async (config: Config) => void started.push(config),
  };
  const watchBehind = (underWay: () => void) =>
    new ConfigWatch({
      edge: {} as EdgeRunner,
      gateway: gateway as unknown as GatewayRunner,
      inForce: new ConfigInForce({ ...changed, gateway: { ...changed.gateway, port: 1 } }),
      log: () => undefined,
      readConfig: async () => changed,
      readOpenclaw: async () => ({ text: "", trustsEdge: false }),
      exclusively: async (operation) => {
        underWay();
        await operation();
      },
    });
  return { gateway, started, changed, watchBehind };
}

test("a gateway that had refused is started when its config changed", async () => {
  const { started, changed, watchBehind } = refused();
  await watchBehind(() => undefined).look();
  assert.deepEqual(started, [changed]);
});

// two gateways ran, and a stop waited for the one that nobody knew of any more
test("it is not started a second time behind a restart that did it", async () => {
  const { gateway, started, watchBehind } = refused();
  await watchBehind(() => {
    gateway.isRefused = false;
  }).look();
  assert.deepEqual(started, []);
});
