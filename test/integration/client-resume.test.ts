import net from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { WebSocket as Ws } from "ws";
import { ClientSocket, type ClientSocketOptions } from "../../src/client/index.ts";
import { EDGE_KEY, startGateway, TOKEN } from "../helpers/gateway-rig.ts";
import { NumberedTalk } from "../helpers/numbered-talk.ts";
import { Random } from "../helpers/random.ts";
import { connectParams } from "../helpers/raw-gateway-client.ts";

// The client library at a gateway of this process: each connection is a link of its own, as an edge would make it.

const MESSAGES = 500;
const CUTS = 10;

async function talk(t: TestContext) {
  let rig = await startGateway(t);
  const { folder, settings } = rig;
  let links = 0;
  let last: Ws | undefined;
  class EdgeSocket extends Ws {
    constructor() {
      super("ws://gateway", {
        headers: {
          "X-Clawkit-Edge": EDGE_KEY,
          "X-Clawkit-Link": `link-${++links}`,
          "X-Clawkit-Position": "0 0 0",
        },
        createConnection: (() => net.connect(settings.socketPath)) as typeof net.createConnection,
      });
      last = this;
    }
  }
  const socket = new ClientSocket("ws://gateway", [], {
    WebSocket: EdgeSocket as unknown as NonNullable<ClientSocketOptions["WebSocket"]>,
    hello: () => connectParams({ auth: { token: TOKEN }, scopes: ["operator.admin"] }),
  });
  t.after(() => socket.close());
  let generation = 1;
  const restart = async () => {
    rig.gateway.close();
    rig = await startGateway(t, { folder, settings: { generation: ++generation } });
  };
  return { numbered: new NumberedTalk(socket), drop: () => last?.terminate(), restart };
}

async function through(t: TestContext, end: (rig: Awaited<ReturnType<typeof talk>>) => unknown) {
  const rig = await talk(t);
  const random = new Random(1);
  for (let cut = 1; cut <= CUTS; cut++) {
    const asked = rig.numbered.askUntil((cut * MESSAGES) / CUTS);
    await setTimeout(random.below(20)); // anywhere in the talk
    await end(rig);
    await asked;
  }
  rig.numbered.check();
}

test(`a client whose connection is dropped ${CUTS} times in ${MESSAGES} messages notices nothing`, (t) =>
  through(t, ({ drop }) => drop()));

test(`nor does one whose gateway is another one ${CUTS} times`, (t) =>
  through(t, ({ restart }) => restart()));
