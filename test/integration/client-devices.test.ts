import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import type { ConnectParams } from "@openclaw/gateway-protocol";
import { type Challenge, ClientSocket } from "../../src/client/index.ts";
import { Changes } from "../helpers/changes.ts";
import { TestClawkit, TOKEN } from "../helpers/clawkit.ts";
import { CutProxy } from "../helpers/cut-proxy.ts";
import { newDevice, signed } from "../helpers/device.ts";
import type { EventFrame, ResponseFrame } from "../helpers/gateway-frames.ts";
import { connectParams } from "../helpers/raw-gateway-client.ts";

/** An application on the client library that asks, and knows what it was told. */
class Application implements AsyncDisposable {
  readonly socket: ClientSocket;
  readonly events: EventFrame[] = [];
  readonly gaps: string[] = [];
  readonly nonces: string[] = [];
  readonly #answers = new Map<string, ResponseFrame>();
  readonly #changes = new Changes(() => JSON.stringify([this.socket.state, this.events.length]));
  #lastId = 0;

  constructor(host: string, hello: (challenge: Challenge) => ConnectParams) {
    this.socket = new ClientSocket(`ws://${host}`, [], {
      hello: (challenge) => {
        this.nonces.push(challenge.nonce);
        return hello(challenge);
      },
    });
    this.socket.ongap = ({ reason }) => this.gaps.push(reason);
    this.socket.onstate = () => this.#changes.changed();
    this.socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data) as EventFrame | ResponseFrame;
      if (frame.type === "event") this.events.push(frame);
      else {
        assert.ok(!this.#answers.has(frame.id), `answered twice: ${data}`);
        this.#answers.set(frame.id, frame);
      }
      this.#changes.changed();
    };
  }

  /** Returns at once with what waits for the answer. */
  ask(method: string, params: object): Promise<ResponseFrame> {
    const id = String(++this.#lastId);
    this.socket.send(JSON.stringify({ type: "req", id, method, params }));
    return this.when(() => this.#answers.get(id));
  }

  async event(name: string): Promise<Record<string, unknown>> {
    return (await this.when(() => this.events.find(({ event }) => event === name))).payload as Record<
      string,
      unknown
    >;
  }

  is(name: ClientSocket["state"]["name"]): Promise<true> {
    return this.when(() => this.socket.state.name === name || undefined);
  }

  when<T>(find: () => T | undefined): Promise<T> {
    return this.#changes.when(find);
  }

  /** Its network cuts it off; it is back. */
  async cut(proxy: CutProxy): Promise<void> {
    const waiting = this.is("waiting");
    proxy.drop();
    await waiting;
    await this.is("live");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.readyState === this.socket.CLOSED) return;
    this.socket.close();
    await once(this.socket, "close");
  }
}

/** A device that signs each challenge, and comes in with its own token once it has one. */
function asDevice(params: Partial<ConnectParams>, token: () => string | undefined = () => undefined) {
  const device = newDevice();
  const hello = (challenge: Challenge) => {
    const deviceToken = token();
    const auth = deviceToken === undefined ? { token: TOKEN } : { deviceToken };
    return signed(device, connectParams({ ...params, auth }), challenge);
  };
  return { id: device.id, hello };
}

describe("the client library as a device of the built-in gateway", () => {
  let clawkit: TestClawkit;
  before(async () => {
    clawkit = await TestClawkit.run();
  });
  after(() => clawkit[Symbol.asyncDispose]());

  const admin = () =>
    new Application(`127.0.0.1:${clawkit.port}`, () =>
      connectParams({ auth: { token: TOKEN }, scopes: ["operator.admin"] }),
    );

  test("signs the challenge of each connection, and goes on behind a cut", async () => {
    await using proxy = await CutProxy.start(clawkit.port);
    const { id, hello } = asDevice({ scopes: ["operator.read", "operator.pairing"] });
    await using app = new Application(proxy.host, hello);
    await app.is("live");
    assert.ok(app.socket.hello?.auth?.deviceToken);
    await app.cut(proxy);
    const { payload } = await app.ask("device.pair.list", {});
    const { paired } = payload as { paired: { deviceId: string }[] };
    assert.deepEqual(
      paired.map(({ deviceId }) => deviceId),
      [id],
    );
    assert.equal(new Set(app.nonces).size, 2);
    assert.deepEqual(app.gaps, []);
    assert.match(app.socket.state.text, /nothing was missed$/);
  });

  test("whose token is revoked is over: it comes once to be told so", async () => {
    let token: string | undefined;
    const { id, hello } = asDevice({ scopes: ["operator.read"] }, () => token);
    await using first = new Application(`127.0.0.1:${clawkit.port}`, hello);
    await first.is("live");
    token = first.socket.hello?.auth?.deviceToken;
    await using app = new Application(`127.0.0.1:${clawkit.port}`, hello);
    await app.is("live");
    await using operator = admin();
    await operator.ask("device.token.revoke", { deviceId: id, role: "operator" });
    await app.is("closed");
    assert.deepEqual(
      app.socket.journal.flatMap(({ code }) => code ?? []),
      [4001, 1008],
    );
    assert.match(app.socket.state.text, /^ended for good: 1008 unauthorized/);
    assert.equal(app.nonces.length, 2);
  });

  test("with a wrong token is over at the first try", async () => {
    await using app = new Application(`127.0.0.1:${clawkit.port}`, () =>
      connectParams({ auth: { token: "not this one" } }),
    );
    await app.is("closed");
    assert.match(app.socket.state.text, /^ended for good: 1008 unauthorized/);
    assert.equal(app.nonces.length, 1);
  });

  test("as a node is asked once, and answers once, whoever of the two is cut off meanwhile", async () => {
    await using nodeNetwork = await CutProxy.start(clawkit.port);
    await using callersNetwork = await CutProxy.start(clawkit.port);
    const { id: nodeId, hello } = asDevice({ role: "node", commands: ["snap"] });
    await using node = new Application(nodeNetwork.host, hello);
    await node.is("live");
    await using caller = new Application(callersNetwork.host, () =>
      connectParams({ auth: { token: TOKEN }, scopes: ["operator.write"] }),
    );
    await caller.is("live");

    const answer = caller.ask("node.invoke", { nodeId, command: "snap", idempotencyKey: "1" });
    const { id } = await node.event("node.invoke.request");
    await node.cut(nodeNetwork);
    await caller.cut(callersNetwork);
    const told = node.ask("node.invoke.result", { id, nodeId, ok: true, payload: { taken: 1 } });
    nodeNetwork.drop(); // with the result on its way
    callersNetwork.drop();
    assert.deepEqual((await told).payload, { ok: true });
    assert.deepEqual(((await answer).payload as { payload: object }).payload, { taken: 1 });
    assert.deepEqual([...node.gaps, ...caller.gaps], []);
    assert.equal(node.events.filter(({ event }) => event === "node.invoke.request").length, 1);
    assert.equal(node.events.filter(({ event }) => event === "node.invoke.cancel").length, 0);
  });
});
