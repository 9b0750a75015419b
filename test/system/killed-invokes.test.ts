import assert from "node:assert/strict";
import { test } from "node:test";
import { sleep, TestClawkit, TOKEN } from "../helpers/clawkit.ts";
import { newDevice } from "../helpers/device.ts";
import { checkFramesOfEachTest, type EventFrame } from "../helpers/gateway-frames.ts";
import { RawGatewayClient } from "../helpers/raw-gateway-client.ts";

checkFramesOfEachTest();

const OPERATORS = 20;
const KILLS = 4;

const PAUSE_MS = 500;

test("requests to a node are each done once and answered once while the gateway is killed again and again", async (t) => {
  await using clawkit = await TestClawkit.run();
  const device = newDevice();
  using node = new RawGatewayClient(clawkit.url);
  await node.connectAs(device, { role: "node", commands: ["count"], auth: { token: TOKEN } });
  const done = new Map<string, number>();
  node.socket.on("message", (data) => {
    const { event, payload } = JSON.parse(String(data)) as EventFrame;
    if (event !== "node.invoke.request") return;
    const { id, paramsJSON } = payload as { id: string; paramsJSON: string };
    done.set(paramsJSON, (done.get(paramsJSON) ?? 0) + 1);
    const params = { id, nodeId: device.id, ok: true, payloadJSON: paramsJSON };
    node.send({ type: "req", id: `result ${id}`, method: "node.invoke.result", params });
  });

  let isOver = false;
  const operators = await Promise.all(
    Array.from({ length: OPERATORS }, async (_, i) => {
      const operator = new RawGatewayClient(clawkit.url);
      t.after(() => operator[Symbol.dispose]());
      await operator.connect({ auth: { token: TOKEN }, scopes: ["operator.write"] });
      return { operator, i };
    }),
  );
  const asking = operators.map(async ({ operator, i }) => {
    let n = 0;
    while (!isOver) {
      const params = { operator: i, n: ++n };
      const invoke = { nodeId: device.id, command: "count", params, idempotencyKey: `${i} ${n}` };
      const { payload, error } = await operator.request("node.invoke", invoke);
      assert.equal(error, undefined);
      assert.deepEqual((payload as { payload: object }).payload, params);
      await sleep(20);
    }
    return n;
  });
  for (let i = 0; i < KILLS; i++) {
    await sleep(PAUSE_MS);
    const { pid, generation } = (await clawkit.ready()).gateway;
    process.kill(pid!, "SIGKILL");
    await clawkit.untilStatus(
      ({ gateway }) => gateway.state === "ready" && gateway.generation! > generation!,
    );
  }
  await sleep(PAUSE_MS);
  isOver = true;
  const asked = (await Promise.all(asking)).reduce((sum, n) => sum + n, 0);

  assert.deepEqual(
    [...done.values()].filter((times) => times !== 1),
    [],
  );
  assert.equal(done.size, asked);
  const seqs = node.events().flatMap(({ seq }) => seq ?? []);
  assert.deepEqual(
    seqs,
    seqs.map((_, i) => i + 1),
  );
  t.diagnostic(`${asked} requests of ${OPERATORS} operators to one node, ${KILLS} kills`);
});
