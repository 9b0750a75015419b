import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { hostWith } from "../../test/helpers/machine.ts";
import { defaultConfig } from "../config/parse.ts";
import type { Config } from "../config/schema.ts";
import { findFreePort } from "./free-port.ts";
import { Ports } from "./listening.ts";

const deps = {
  host: hostWith(),
  clock: { now: () => performance.now(), wall: () => Date.now() },
  log: () => undefined,
};

const configWith = (gateway: Partial<Config["gateway"]>): Config => ({
  ...defaultConfig(),
  gateway: { ...defaultConfig().gateway, ...gateway },
});

test("sockets that cannot be moved to other addresses are those of before again, and can be moved later", {
  skip: process.platform !== "linux" && "has no second loopback address",
}, async (t) => {
  const port = await findFreePort();
  const foreign = net.createServer().listen(port, "127.0.0.2");
  await once(foreign, "listening");
  const ports = new Ports(configWith({ port }), deps);
  t.after(() => {
    foreign.close();
    ports.release();
  });
  await ports.bind(configWith({ port }));
  const addresses = ports.all.map(({ address }) => address);
  const move = () => ports.prepareMove(configWith({ port, bind: "127.0.0.2" }));
  await assert.rejects(async () => (await move())(), { code: "PORT_IN_USE" });
  assert.deepEqual(
    ports.all.map(({ address }) => address),
    addresses,
  );
  foreign.close();
  await once(foreign, "close");
  await (await move())();
  assert.deepEqual(
    ports.all.map(({ address }) => address),
    ["127.0.0.2"],
  );
});

// an edge without sockets was started, and never listened
test("sockets that were let go are bound again, though the config is the same", async (t) => {
  const config = configWith({ port: await findFreePort() });
  const ports = new Ports(config, deps);
  t.after(() => ports.release());
  await ports.bind(config);
  ports.release();
  await (await ports.prepareMove(config))();
  assert.ok(ports.all.length > 0);
});
