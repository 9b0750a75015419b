import assert from "node:assert/strict";
import { test } from "node:test";
import { startGateway } from "../../test/helpers/gateway-rig.ts";

/** More than are told of something in one turn of the loop, and of a list that is sent in two fragments. */
const CLIENTS = 60;

test("what many clients are told comes to each once, whole, and in its order", async (t) => {
  const rig = await startGateway(t);
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => rig.connected()));
  t.after(() => {
    for (const client of clients) client[Symbol.dispose]();
  });
  await clients[0]!.request("system-event", { text: "the last change" });
  const isLast = ({ payload }: { payload?: unknown }) => JSON.stringify(payload).includes("the last change");
  for (const client of clients) {
    const event = await client.when(() => client.events("presence").find(isLast));
    assert.equal((event.payload as { presence: object[] }).presence.length, CLIENTS);
    const seqs = client.events().flatMap(({ seq }) => seq ?? []);
    assert.deepEqual(
      seqs,
      seqs.map((_, i) => i + 1),
    );
  }
});
