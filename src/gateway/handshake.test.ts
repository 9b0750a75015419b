import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ConnectParams } from "@openclaw/gateway-protocol";
import { newDevice, signed } from "../../test/helpers/device.ts";
import { Authenticator, type AuthSettings } from "./auth.ts";
import { Devices } from "./devices/devices.ts";
import { type Accepted, type Caller, type Judges, judgeFirstFrame, type Rejected } from "./handshake.ts";
import { Journal } from "./journal/journal.ts";

const TOKEN = "a-shared-secret-of-some-length";
const NONCE = "the-nonce-of-this-link";
const LOCAL: Caller = { address: "127.0.0.1", isLocal: true };
const REMOTE: Caller = { address: "198.51.100.7", isLocal: false };

const client = { id: "test", version: "1.0.0", platform: "test", mode: "test" };

/** The `connect` params of a client that comes in, with changes. */
function params(changes: object = {}): object {
  return { minProtocol: 4, maxProtocol: 4, client, auth: { token: TOKEN }, ...changes };
}

/** Judges a frame; anything but a text is sent as JSON. */
function judge(frame: unknown, caller = LOCAL, settings: AuthSettings = { mode: "token", secret: TOKEN }) {
  const auth = new Authenticator(settings, { now: () => 0, wall: () => 0 });
  return judgeFirstFrame(typeof frame === "string" ? frame : JSON.stringify(frame), judges(auth, caller));
}

/** Without any device. */
function judges(auth: Authenticator, caller: Caller): Judges {
  const journal = new Journal(":memory:", { generation: 1, isDurable: false });
  return { caller, auth, nonce: NONCE, devices: new Devices(journal), isHere: () => false, now: 0 };
}

function judgeConnect(changes: object = {}, caller = LOCAL): Accepted | Rejected {
  return judge({ type: "req", id: "7", method: "connect", params: params(changes) }, caller);
}

/** What a refusal with a response looks like: the words of the response are those of the close. */
function refusal(code: number, message: string, details?: object): Rejected {
  const error = { code: "INVALID_REQUEST", message, ...(details === undefined ? {} : { details }) };
  return { close: { code, reason: message }, response: { id: "7", error } };
}

describe("a connect", () => {
  it("with the token is accepted", () => {
    assert.deepEqual(judgeConnect(), {
      requestId: "7",
      params: params(),
      role: "operator",
      scopes: ["operator.read"],
    });
  });

  it("without credentials is accepted where none are asked for", () => {
    const frame = { type: "req", id: "7", method: "connect", params: params({ auth: undefined }) };
    assert.ok("scopes" in judge(frame, LOCAL, { mode: "none" }));
  });

  it("with a wrong token is closed with 1008", () => {
    assert.deepEqual(
      judgeConnect({ auth: { token: "another" } }),
      refusal(1008, "unauthorized: gateway token mismatch (provide gateway auth token)", {
        code: "AUTH_TOKEN_MISMATCH",
        authReason: "token_mismatch",
        canRetryWithDeviceToken: false,
        recommendedNextStep: "update_auth_credentials",
      }),
    );
  });

  it("without credentials is closed with 1008", () => {
    assert.deepEqual(
      judgeConnect({ auth: undefined }),
      refusal(1008, "device identity required", { code: "DEVICE_IDENTITY_REQUIRED" }),
    );
  });

  it("of a role nobody has is closed with 1008", () => {
    assert.deepEqual(judgeConnect({ role: "chief" }), refusal(1008, "invalid role"));
  });

  it("that breaks the schema is closed with 1008 and says where", () => {
    const verdict = judgeConnect({ client: { ...client, id: "my-own-client" } });
    assert.ok("close" in verdict);
    assert.equal(verdict.close.code, 1008);
    assert.match(verdict.close.reason, /^invalid connect params: \/client\/id: /);
  });

  it("of an address that is locked out says for how long", () => {
    const auth = new Authenticator({ mode: "token", secret: TOKEN }, { now: () => 0, wall: () => 0 });
    const frame = (token: string) =>
      JSON.stringify({ type: "req", id: "7", method: "connect", params: params({ auth: { token } }) });
    for (let i = 0; i < 10; i++) judgeFirstFrame(frame(`guess ${i}`), judges(auth, REMOTE));
    const message = "unauthorized: too many failed authentication attempts (retry later)";
    assert.deepEqual(judgeFirstFrame(frame(TOKEN), judges(auth, REMOTE)), {
      close: { code: 1008, reason: message },
      response: {
        id: "7",
        error: {
          code: "INVALID_REQUEST",
          message,
          details: {
            code: "AUTH_RATE_LIMITED",
            authReason: "rate_limited",
            canRetryWithDeviceToken: false,
            recommendedNextStep: "wait_then_retry",
          },
          retryable: true,
          retryAfterMs: 300_000,
        },
      },
    });
  });
});

describe("protocol versions", () => {
  const cases: [who: "operator" | "node" | "probe", min: number, max: number, isAccepted: boolean][] = [
    ["operator", 4, 4, true],
    ["operator", 1, 4, true],
    ["operator", 4, 99, true],
    ["operator", 3, 3, false],
    ["operator", 5, 5, false],
    ["operator", 99, 99, false],
    ["node", 4, 4, true],
    ["node", 3, 3, true],
    ["node", 2, 2, false],
    ["node", 5, 5, false],
    ["probe", 3, 3, true],
    ["probe", 2, 2, false],
  ];
  for (const [who, minProtocol, maxProtocol, isAccepted] of cases) {
    const verdict = isAccepted ? "accepted" : "closed with 1002";
    it(`${minProtocol} to ${maxProtocol} as ${who} is ${verdict}`, () => {
      const role = who === "probe" ? "operator" : who;
      const mode = who === "probe" ? "probe" : "test";
      const sent = params({ role, client: { ...client, mode }, minProtocol, maxProtocol }) as ConnectParams;
      const asNode = signed(newDevice(), sent, { nonce: NONCE, ts: 0 });
      const judged = judgeConnect(role === "node" ? asNode : sent);
      if (isAccepted) {
        assert.ok("scopes" in judged);
        return;
      }
      const details = { code: "PROTOCOL_MISMATCH", expectedProtocol: 4 };
      assert.deepEqual(judged, refusal(1002, "protocol mismatch", details));
    });
  }

  it("are looked at before credentials, so that an old client is not counted as one that guesses", () => {
    const judged = judgeConnect({ minProtocol: 99, maxProtocol: 99, auth: { token: "another" } });
    assert.equal("close" in judged && judged.close.reason, "protocol mismatch");
  });
});

describe("scopes", () => {
  const all = ["operator.read", "operator.write", "operator.admin", "operator.approvals", "operator.pairing"];
  const cases: [who: string, caller: Caller, changes: object, granted: string[]][] = [
    ["a local operator who asks for none", LOCAL, {}, ["operator.read"]],
    ["a local operator who asks for one", LOCAL, { scopes: ["operator.admin"] }, ["operator.admin"]],
    ["a local operator who asks for all", LOCAL, { scopes: all }, all],
    ["a local operator who asks for one that does not exist", LOCAL, { scopes: ["root"] }, ["operator.read"]],
    ["a remote operator who asks for all", REMOTE, { scopes: all }, ["operator.read"]],
  ];
  for (const [who, caller, changes, granted] of cases) {
    it(`of ${who}: ${granted.join(", ") || "none"}`, () => {
      const judged = judgeConnect(changes, caller);
      assert.deepEqual("scopes" in judged && judged.scopes, granted);
    });
  }
});

describe("a node", () => {
  it("without an identity is closed with 1008", () => {
    const judged = judgeConnect({ role: "node" });
    assert.ok("close" in judged);
    assert.equal(judged.close.reason, "device identity required");
    assert.equal(judged.response?.error.code, "NOT_PAIRED");
  });

  it("has no scopes, whatever it asks for", () => {
    const sent = params({ role: "node", scopes: ["operator.admin"] }) as ConnectParams;
    const judged = judgeConnect(signed(newDevice(), sent, { nonce: NONCE, ts: 0 }));
    assert.deepEqual("scopes" in judged && judged.scopes, []);
  });
});

describe("a first frame", () => {
  for (const text of ["hello", "", "{", "GET / HTTP/1.1"]) {
    it(`${JSON.stringify(text)} is no JSON: 1000, no reason, no response`, () => {
      assert.deepEqual(judge(text), { close: { code: 1000, reason: "" } });
    });
  }

  for (const value of [
    null,
    1,
    "text",
    [],
    {},
    { type: "req", method: "connect" },
    { type: "event", event: "x" },
  ]) {
    it(`${JSON.stringify(value)} is no request: 1008, no response`, () => {
      const judged = judge(JSON.stringify(value));
      assert.ok("close" in judged);
      assert.deepEqual([judged.close.code, judged.response], [1008, undefined]);
    });
  }

  it("that asks for something else is closed with 1008", () => {
    assert.deepEqual(
      judge({ type: "req", id: "7", method: "health" }),
      refusal(1008, "invalid handshake: first request must be connect"),
    );
  });

  it("without params breaks the schema", () => {
    const judged = judge({ type: "req", id: "7", method: "connect" });
    assert.equal("close" in judged && judged.close.code, 1008);
  });
});
