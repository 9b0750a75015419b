import assert from "node:assert/strict";
import { on, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import os from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { freePort } from "../../test/helpers/clawkit.ts";
import { realClock } from "../bin/real.ts";
import { ANSWER_MS } from "../client/life.ts";
import { defaultConfig } from "../config/parse.ts";
import { hostFor } from "../host/index.ts";
import { edgeSettings } from "../supervisor/edge-settings.ts";
import { Edge } from "./edge.ts";

test("a planned restart waits for no link that was ending before it", async (t) => {
  const gateway = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(gateway, "listening");
  t.after(() => gateway.close());
  const { edge, url } = await startEdge(t);
  const gatewayUrl = `ws://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
  edge.gatewayStarted({ generation: 1, address: { kind: "url", url: gatewayUrl } });
  const client = new WebSocket(url);
  await once(client, "open");
  t.after(() => client.terminate());
  client.pause(); // it answers no Close frame
  const answer = edge.answer({
    kind: "links",
    text: "",
    sort: "since",
    isDescending: false,
    offset: 0,
    limit: 1,
  });
  const id = answer.kind === "links" ? answer.page.links[0]!.id : "";
  edge.answer({ kind: "close-link", link: id, reason: "enough" });
  await edge.drainGateway({ reason: "restarting", spreadMs: 0, isStop: false });
  assert.equal(edge.inspect().connections, 1);
});

// the edge held the question for the next gateway, and clawkit/client left a connection that was alive
for (const when of ["while", "before"])
  test(`a client that asks for life ${when} its gateway is away has an answer before it leaves`, async (t) => {
    const gateway = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    await once(gateway, "listening");
    t.after(() => gateway.close());
    gateway.on("connection", (link) => {
      link.send('{"type":"event","event":"connect.challenge"}');
      link.send('{"type":"res","ok":true}');
    });
    const { edge, url } = await startEdge(t);
    const gatewayUrl = `ws://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
    edge.gatewayStarted({ generation: 1, address: { kind: "url", url: gatewayUrl }, resumes: true });
    const client = new WebSocket(url);
    t.after(() => client.terminate());
    const messages = on(client, "message");
    for (const _ of ["challenge", "hello"]) await messages.next();
    const ask = () => client.send('{"type":"ack","n":0,"ask":true}');
    if (when === "before") {
      ask();
      const [link] = gateway.clients;
      await once(link!, "message");
    }
    await edge.drainGateway({ reason: "restarting", spreadMs: 0, isStop: false });
    const tick = async () => {
      const [said] = await once(client, "message", { signal: AbortSignal.timeout(ANSWER_MS) });
      assert.equal(JSON.parse(String(said)).event, "tick");
    };
    await tick();
    if (when === "while") {
      ask();
      await tick();
    }
  });

async function startEdge(t: TestContext): Promise<{ edge: Edge; url: string }> {
  const stateDir = await mkdtemp(join(os.tmpdir(), "clawkit-edge-"));
  t.after(() => rm(stateDir, { recursive: true }));
  const port = await freePort();
  const edge = new Edge({
    settings: { ...edgeSettings(defaultConfig(), stateDir, false), port },
    clock: realClock,
    host: hostFor(process.platform),
    log: () => undefined,
    random: Math.random,
    edgeId: "test",
    stateDir,
    memory: () => process.memoryUsage(),
    record: () => undefined,
    recorderStats: () => ({ queued: 0, written: 0, dropped: 0 }),
    learnedTimers: [],
    keepTimers: () => undefined,
    onGatewayState: () => undefined,
    onControlWanted: () => undefined,
    onRestartNeeded: () => undefined,
  });
  t.after(() => edge.stop());
  await edge.listen([{ host: "127.0.0.1", port }]);
  return { edge, url: `ws://127.0.0.1:${port}` };
}
