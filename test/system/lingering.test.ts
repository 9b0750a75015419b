import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { program, TestClawkit } from "../helpers/clawkit.ts";
import { TestClient } from "../helpers/clients.ts";
import { RawClient, upgradeHead } from "../helpers/raw.ts";

/** The edge gives a socket that makes no progress towards its end 30 s. */
const GIVEN_UP_MS = 45_000;

const MAX_CONNECTIONS = 5;

/** More than the room that is left above the limit, so that further clients can be told 1013. */
const ATTACKERS = 300;

describe("clients that were refused and do not go away", () => {
  let clawkit: TestClawkit;
  before(async () => {
    const upstream = { type: "command", command: program("echo") };
    clawkit = await TestClawkit.run({ gateway: { upstream, limits: { maxConnections: MAX_CONNECTIONS } } });
  });
  after(() => clawkit?.[Symbol.asyncDispose]());

  // They counted as making progress with every byte they sent: 256 of them kept everybody else out, for ever, while the
  // status said "0 connections".
  test("are cut off, however busily they go on sending, and others are served", {
    timeout: 90_000,
  }, async () => {
    using attackers = new DisposableStack();
    const clients: RawClient[] = [];
    for (let i = 0; i < ATTACKERS; i++) {
      const client = await RawClient.connect(clawkit.port).catch(() => undefined);
      if (client === undefined) continue;
      client.socket.allowHalfOpen = true;
      client.send(upgradeHead({ lines: ["Origin: https://evil.example"] }));
      clients.push(attackers.use(client));
    }
    const trickle = setInterval(() => {
      for (const client of clients) if (client.socket.writable) client.send("x");
    }, 1_000);
    attackers.defer(() => clearInterval(trickle));

    const deadline = new Promise<number>((resolve) => {
      attackers.adopt(
        setTimeout(() => resolve(clients.filter((client) => !client.isOver).length), GIVEN_UP_MS),
        clearTimeout,
      );
    });
    const stillThere = await Promise.race([
      Promise.all(clients.map((client) => client.ended)).then(() => 0),
      deadline,
    ]);
    assert.equal(stillThere, 0, `${stillThere} refused clients are still connected`);

    const honest = new TestClient(clawkit.url);
    await honest.opened;
    assert.equal(await honest.echo("served"), "served");
    honest.socket.terminate();
  });
});
