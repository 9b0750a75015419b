import assert from "node:assert/strict";
import { test } from "node:test";
import { GatewayClientRequestError } from "@openclaw/gateway-client";
import { sleep, TestClawkit, TOKEN } from "../helpers/clawkit.ts";
import { asDevice } from "../helpers/device.ts";
import { checkFramesOfEachTest } from "../helpers/gateway-frames.ts";
import { ReferenceClient } from "../helpers/reference-client.ts";

checkFramesOfEachTest();

const NODES = 16;
const OPERATORS = 20;
const ROUNDS = 3;

test("edge and gateway are killed at the same moment: clients come back, and what was acknowledged is there", async (t) => {
  await using clawkit = await TestClawkit.run();
  await using stack = new AsyncDisposableStack();
  const nodes = await Promise.all(Array.from({ length: NODES }, () => backgroundNode(clawkit.url)));
  for (const { client } of nodes) stack.use(client);
  const operators = await Promise.all(
    Array.from({ length: OPERATORS }, () =>
      ReferenceClient.connect(clawkit.url, TOKEN, { scopes: ["operator.write"] }),
    ),
  );
  for (const operator of operators) stack.use(operator);
  let n = 0;
  let promised = 0;

  for (let round = 1; round <= ROUNDS; round++) {
    const queued = new Set<string>();
    let isOver = false;
    const asking = operators.map(async (operator) => {
      while (!isOver) {
        const { id: nodeId } = nodes[++n % NODES]!;
        const invoke = { nodeId, command: "show", idempotencyKey: `number ${n}` };
        await operator.request("node.invoke", invoke).catch((error) => {
          const id = queuedActionIn(error);
          if (id !== undefined) queued.add(id);
        });
        await sleep(30);
      }
    });
    await sleep(600 + 100 * round);
    const { edge, gateway } = await clawkit.status();
    isOver = true;
    for (const pid of [edge.pid!, gateway.pid!]) process.kill(pid, "SIGKILL");
    await Promise.all(asking);

    const clients = [...operators, ...nodes.map(({ client }) => client)];
    await Promise.all(clients.map((client) => client.when(() => client.hellos[round])));
    const waiting = await Promise.all(
      nodes.map(({ client }) => client.request<Waiting>("node.pending.pull")),
    );
    const found = new Set(waiting.flatMap(({ actions }) => actions.map(({ id }) => id)));
    const lost = [...queued].filter((id) => !found.has(id));
    assert.deepEqual(lost, [], `acknowledged, and lost in round ${round}`);
    promised += queued.size;
    await Promise.all(
      nodes.map(({ client }, i) => {
        const ids = waiting[i]!.actions.map(({ id }) => id);
        return ids.length === 0 ? undefined : client.request("node.pending.ack", { ids });
      }),
    );
  }

  t.diagnostic(`${promised} acknowledged in ${ROUNDS} rounds`);
  assert.ok(promised > OPERATORS, "hardly anything was acknowledged");
});

interface Waiting {
  readonly actions: readonly { readonly id: string }[];
}

/** One that says of each command that it cannot do it now: its gateway keeps them for it. */
async function backgroundNode(url: string): Promise<{ client: ReferenceClient; id: string }> {
  const device = asDevice();
  const id = device.deviceIdentity!.deviceId;
  const client: ReferenceClient = await ReferenceClient.connect(url, TOKEN, {
    ...device,
    role: "node",
    commands: ["show"],
    onEvent: ({ event, payload }) => {
      if (event !== "node.invoke.request") return;
      const error = { code: "NODE_BACKGROUND_UNAVAILABLE", message: "in the background" };
      const result = { id: (payload as { id: string }).id, nodeId: id, ok: false, error };
      client.request("node.invoke.result", result).catch(() => undefined); // its connection may be gone
    },
  });
  return { client, id };
}

function queuedActionIn(error: unknown): string | undefined {
  if (!(error instanceof GatewayClientRequestError)) return undefined;
  return (error.details as { queuedActionId?: string } | undefined)?.queuedActionId;
}
