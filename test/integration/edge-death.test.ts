import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { program, TestClawkit, until } from "../helpers/clawkit.ts";
import { openClients, TestClient, tally } from "../helpers/clients.ts";
import { acceptedConnections, isPortFree, needsProc, processesOf, untilGone } from "../helpers/processes.ts";

/** Half of them are on their way when the edge is killed, the other half come while there is none. */
const CLIENTS = 1_000;

/** The promise is 1 s on an idle machine; this one may be busy. */
const SERVED_AGAIN_MS = 5_000;

const ECHO = { gateway: { upstream: { type: "command", command: program("echo") } } };

describe("an edge that is killed", { concurrency: 2 }, () => {
  test("refuses nobody of 1,000 connecting clients, and serves all that come after it", {
    skip: needsProc,
  }, async () => {
    await using clawkit = await TestClawkit.run(ECHO);
    const before = await clawkit.status();
    const early = Array.from({ length: CLIENTS / 2 }, () => visit(clawkit.url));
    await Promise.race(early.map(({ opened }) => opened)); // the edge is in the middle of them

    process.kill(before.edge.pid!, "SIGKILL");
    const killedAt = performance.now();
    const firstServed = visit(clawkit.url).outcome.then(() => performance.now() - killedAt);
    const late = Array.from({ length: CLIENTS / 2 }, () => visit(clawkit.url));
    await clawkit.untilStatus(({ edge }) => edge.pid !== before.edge.pid);
    assert.equal(await acceptedConnections(before.supervisor.pid!, clawkit.port), 0);

    assert.equal(
      tallyTexts(await Promise.all(late.map(({ outcome }) => outcome))),
      `${CLIENTS / 2} × served`,
    );
    assert.ok((await firstServed) < SERVED_AGAIN_MS, `served after ${await firstServed} ms`);
    // the killed edge takes down those it had let in; nobody else, and nobody is refused
    const seen = tallyTexts(await Promise.all(early.map(({ outcome }) => outcome)));
    assert.doesNotMatch(seen, /ECONNREFUSED|ETIMEDOUT|50\d/);

    const after = await clawkit.untilStatus(({ state }) => state === "healthy");
    assert.deepEqual(
      [after.supervisor.pid, after.gateway.pid, after.gateway.generation],
      [before.supervisor.pid, before.gateway.pid, before.gateway.generation],
    );
    assert.equal(await acceptedConnections(before.supervisor.pid!, clawkit.port), 0);
  });

  test("is replaced as often as it is killed", async () => {
    await using clawkit = await TestClawkit.run(ECHO);
    for (let i = 0; i < 5; i++) {
      const { edge } = await clawkit.status();
      process.kill(edge.pid!, "SIGKILL");
      assert.equal(await visit(clawkit.url).outcome, "served");
      await clawkit.untilStatus((status) => status.state === "healthy" && status.edge.pid !== edge.pid);
    }
  });
});

describe("a supervisor that is killed", { concurrency: 2 }, () => {
  const gateways = {
    "the built-in gateway": {},
    "a command that ignores SIGTERM": {
      gateway: { upstream: { type: "command", command: program("echo", "--ignore-sigterm") } },
    },
  };
  for (const [name, config] of Object.entries(gateways)) {
    test(`${name}: clients are told 1012, children end within 5 s, the port is free`, {
      skip: needsProc,
    }, async () => {
      await using clawkit = await TestClawkit.run(config);
      const clients = await openClients(100, clawkit.url);
      const { supervisor } = await clawkit.status();
      const children = (await processesOf(clawkit.stateDir)).map(({ pid }) => pid);
      assert.equal(children.length, 3);

      process.kill(supervisor.pid!, "SIGKILL");
      await untilGone(children, 5_000);
      assert.ok(await isPortFree(clawkit.port));
      const ends = await Promise.all(clients.map((client) => client.ended));
      assert.deepEqual(
        ends.filter(({ code }) => code !== 1012),
        [],
        tally(ends),
      );
      await until(async () => ((await processesOf(clawkit.stateDir)).length === 0 ? true : undefined), 1_000);
    });
  }
});

/** Connects once and asks for an echo; the outcome is what a user would see. */
function visit(url: string): { opened: Promise<void>; outcome: Promise<string> } {
  const client = new TestClient(url);
  const outcome = client.opened
    .then(() => client.echo("hello"))
    .then((text) => (text === "hello" ? "served" : text))
    .catch((error: Error) => error.message)
    .finally(() => client.socket.terminate());
  return { opened: client.opened.catch(() => undefined), outcome };
}

function tallyTexts(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].map(([text, n]) => `${n} × ${text}`).join(", ");
}
