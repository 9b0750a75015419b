import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readConnect } from "./openclaw.ts";

const NOBODY = { clientId: null, clientVersion: null, role: null };

/** A `connect` request as clients send it, with these parameters. */
const connect = (params: unknown) => JSON.stringify({ type: "req", id: "1", method: "connect", params });

describe("an OpenClaw connect request", () => {
  it("tells id, version and role of its client, and nothing else", () => {
    const client = {
      id: "control-ui",
      displayName: "Mine",
      version: "2026.9.1",
      platform: "linux",
      mode: "ui",
    };
    const auth = { token: "secret-token", password: "secret-password" };
    const device = { id: "d1", publicKey: "k", signature: "s", signedAt: 1 };
    const params = { minProtocol: 4, maxProtocol: 4, client, role: "operator", auth, device };
    assert.deepEqual(readConnect(connect(params))?.client, {
      clientId: "control-ui",
      clientVersion: "2026.9.1",
      role: "operator",
    });
  });

  for (const [name, params] of [
    ["no parameters", undefined],
    ["null as parameters", null],
    ["a list as parameters", []],
    ["no client", { role: 7 }],
    ["a client that is a word", { client: "control-ui" }],
    ["names that are no text", { client: { id: 7, version: {} }, role: ["operator"] }],
    ["empty names", { client: { id: "", version: "" }, role: "" }],
  ] as const) {
    it(`with ${name} is one of a client without names`, () =>
      assert.deepEqual(readConnect(connect(params))?.client, NOBODY));
  }

  it("keeps 100 characters of a name", () => {
    const { clientId } = readConnect(connect({ client: { id: "x".repeat(5_000) } }))!.client;
    assert.equal(clientId, "x".repeat(100));
  });

  it("has no line ends, escapes or other control characters in a name: it is shown on terminals", () => {
    const id = "a\u001b[31mb\r\nc\u0000d\u007fe\u009bf";
    assert.equal(readConnect(connect({ client: { id } }))?.client.clientId, "a?[31mb??c?d?e?f");
  });

  it("keeps names of other scripts", () => {
    assert.equal(readConnect(connect({ client: { id: "Küche 台所" } }))?.client.clientId, "Küche 台所");
  });
});

describe("no connect request", () => {
  for (const [name, text] of [
    ["is text that is no JSON", "hello"],
    ["is an empty text", ""],
    ["is half of one", connect({}).slice(0, -1)],
    ["is null", "null"],
    ["is a list", "[1]"],
    ["is a word", '"connect"'],
    ["is another method", JSON.stringify({ type: "req", method: "health", params: {} })],
    ["is an event of that name", JSON.stringify({ type: "event", method: "connect" })],
  ] as const) {
    it(name, () => assert.equal(readConnect(text), undefined));
  }
});
