import assert from "node:assert/strict";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import http from "node:http";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ControlRig, TOKEN } from "../../test/helpers/control-rig.ts";
import { ask } from "../../test/helpers/http.ts";
import { ControlServer } from "./server.ts";

const CODE_OF = (answer: { json: { error?: { code: string } } }) => answer.json.error?.code;

describe("a way in", () => {
  it("a one-time code is good once", async () => {
    await using rig = await ControlRig.start();
    const code = rig.server.issueCode();
    const signIn = () => rig.api("/session", { method: "POST", json: { code } });
    assert.deepEqual([(await signIn()).status, (await signIn()).status], [200, 401]);
  });

  it("and for a minute", async () => {
    await using rig = await ControlRig.start();
    const code = rig.server.issueCode();
    rig.time.now += 60_001;
    const answer = await rig.api("/session", { method: "POST", json: { code } });
    assert.deepEqual([answer.status, CODE_OF(answer)], [401, "NOT_SIGNED_IN"]);
  });

  it("the gateway's token signs in, another text does not", async () => {
    await using rig = await ControlRig.start();
    const signIn = (token: string) => rig.api("/session", { method: "POST", json: { token } });
    assert.equal((await signIn(`${TOKEN}x`)).status, 401);
    assert.equal((await signIn("")).status, 401);
    const { status, headers } = await signIn(TOKEN);
    assert.equal(status, 200);
    const [cookie] = headers["set-cookie"]!;
    const form = /^clawkit-\d+=[\w-]{43}; Path=\/__clawkit__\/; Max-Age=43200; HttpOnly; SameSite=Strict$/;
    assert.match(cookie!, form);
  });

  for (const [name, change] of [
    ["a gateway that is not ours", { upstream: { type: "url", url: "ws://127.0.0.1:9" } }],
    ["auth mode none", { auth: { mode: "none", token: TOKEN } }],
  ] as const) {
    it(`with ${name} only a one-time code does`, async () => {
      await using rig = await ControlRig.start();
      rig.config = { ...rig.config, gateway: { ...rig.config.gateway, ...change } };
      const withToken = await rig.api("/session", { method: "POST", json: { token: TOKEN } });
      const withCode = await rig.api("/session", { method: "POST", json: { code: rig.server.issueCode() } });
      assert.deepEqual([withToken.status, withCode.status], [401, 200]);
    });
  }

  it("ten wrong tokens close that way for a minute, which is recorded once", async () => {
    await using rig = await ControlRig.start();
    const signIn = (json: object) => rig.api("/session", { method: "POST", json });
    for (let i = 0; i < 10; i++) assert.equal((await signIn({ token: `guess ${i}` })).status, 401);
    const locked = await signIn({ token: TOKEN });
    assert.deepEqual([locked.status, locked.headers["retry-after"]], [429, "60"]);
    await signIn({ token: "guess 11" });
    assert.equal(rig.logged.filter((text) => text.includes("locked")).length, 1);
    rig.time.now += 60_001;
    assert.equal((await signIn({ token: TOKEN })).status, 200);
  });

  it("a right code opens meanwhile: no program of this machine can lock its owner out", async () => {
    await using rig = await ControlRig.start();
    const signIn = (json: object) => rig.api("/session", { method: "POST", json });
    for (let i = 0; i < 10; i++) await signIn({ token: `guess ${i}` });
    for (let i = 0; i < 20; i++) assert.equal((await signIn({ code: `guess ${i}` })).status, 401);
    assert.equal((await signIn({ code: rig.server.issueCode() })).status, 200);
  });

  it("wrong codes do not close the way for a token", async () => {
    await using rig = await ControlRig.start();
    const signIn = (json: object) => rig.api("/session", { method: "POST", json });
    for (let i = 0; i < 20; i++) await signIn({ code: `guess ${i}` });
    assert.equal((await signIn({ token: TOKEN })).status, 200);
  });

  it("a session ends after twelve hours", async () => {
    await using rig = await ControlRig.start();
    const headers = await rig.signedIn();
    rig.time.wall += 12 * 3_600_000 - 1;
    assert.equal((await rig.api("/session", { headers })).status, 200);
    rig.time.wall += 1;
    assert.equal((await rig.api("/session", { headers })).status, 401);
  });

  it("and when its owner signs out", async () => {
    await using rig = await ControlRig.start();
    const headers = await rig.signedIn();
    const out = await rig.api("/session", { method: "DELETE", headers });
    assert.match(out.headers["set-cookie"]![0]!, /^clawkit-\d+=; .*Max-Age=0/);
    assert.equal((await rig.api("/session", { headers })).status, 401);
  });
});

describe("who is refused", () => {
  const refusals: [string, Record<string, string>, number, RegExp][] = [
    ["a forged Host (DNS rebinding)", { Host: "evil.example:1" }, 403, /answers as localhost/],
    ["a Host that only begins like loopback", { Host: "127.0.0.1.evil.example:1" }, 403, /answers as/],
    ["the Host of another port", { Host: "127.0.0.1:1" }, 403, /answers as/],
    ["a foreign Origin", { Origin: "https://evil.example" }, 403, /may not use the console/],
    ["another program's page on this machine", { Origin: "http://127.0.0.1:3000" }, 403, /may not use/],
    ["a sandboxed frame", { Origin: "null" }, 403, /may not use/],
    ["a request of another site's page", { "Sec-Fetch-Site": "cross-site" }, 403, /another site/],
    ["a local proxy's client", { "X-Forwarded-For": "192.0.2.1" }, 403, /through a proxy/],
    ["a tailscale client", { "Tailscale-User-Login": "x@y" }, 403, /through a proxy/],
    ["a cookie that was made up", { Cookie: "clawkit-1=abc" }, 401, /Sign in first/],
  ];
  for (const [name, headers, status, message] of refusals) {
    it(name, async () => {
      await using rig = await ControlRig.start();
      const owner = await rig.signedIn();
      const answer = await rig.api("/overview", { headers: { ...owner, ...headers } });
      assert.equal(answer.status, status);
      assert.match(answer.json.error.message, message);
    });
  }

  it("a change without the csrf token, or with another's", async () => {
    await using rig = await ControlRig.start();
    const { Cookie, ...csrf } = await rig.signedIn();
    const close = (headers: Record<string, string>) =>
      rig.api("/connections/e-1/close", { method: "POST", json: { reason: "tidy" }, headers });
    assert.deepEqual([(await close({ Cookie: Cookie! })).status, rig.asked.length], [403, 0]);
    assert.equal((await close({ Cookie: Cookie!, "X-Clawkit-Csrf": "wrong" })).status, 403);
    assert.equal((await close(csrf)).status, 401);
    assert.equal((await close({ Cookie: Cookie!, ...csrf })).status, 200);
  });

  it("a change that a form could send", async () => {
    await using rig = await ControlRig.start();
    const headers = { ...(await rig.signedIn()), "Content-Type": "text/plain" };
    const answer = await rig.api("/feedback", { method: "POST", json: { playbook: "1006" }, headers });
    assert.deepEqual([answer.status, CODE_OF(answer)], [415, "NOT_JSON"]);
  });

  it("a body that is too large, with a whole answer", async () => {
    await using rig = await ControlRig.start();
    const headers = await rig.signedIn();
    const big = await rig.api("/feedback", { method: "POST", json: { note: "x".repeat(70_000) }, headers });
    const bigger = await rig.api("/explain", { method: "POST", json: "x".repeat(11 * 2 ** 20), headers });
    assert.deepEqual([big.status, bigger.status], [413, 413]);
  });
});

/** A control server behind an edge on 18789; asks it as that edge would. */
async function behindEdge(rig: ControlRig, console: { allowFrom?: string[]; hosts?: string[] } = {}) {
  const front = { port: 18789, isTls: false, isBehindEdge: true, allowFrom: [], hosts: [], ...console };
  const server = new ControlServer(rig.deps, { front });
  const socketPath = join(rig.stateDir, "console.sock");
  await server.listenLocally(socketPath);
  const ask = async (headers: Record<string, string>, body?: object) => {
    const request = http.request({
      socketPath,
      path: `/__clawkit__/api/v1/${body === undefined ? "overview" : "session"}`,
      method: body === undefined ? "GET" : "POST",
      agent: false,
      headers: { Host: "localhost:18789", "Content-Type": "application/json", ...headers },
    });
    request.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    response.resume();
    return response;
  };
  return { server, socketPath, ask, [Symbol.dispose]: () => server.stop() };
}

describe("behind the edge, which says who its peer is", () => {
  const cases: [string, Record<string, string>, number][] = [
    ["a peer on this machine is let in", { "X-Clawkit-Peer": "127.0.0.1" }, 401],
    ["one on this machine by IPv6 too", { "X-Clawkit-Peer": "::1" }, 401],
    ["a peer on another machine is not", { "X-Clawkit-Peer": "192.0.2.1" }, 403],
    ["nor is one that nobody has named", {}, 403],
  ];
  for (const [name, headers, status] of cases) {
    it(name, async () => {
      await using rig = await ControlRig.start();
      using edge = await behindEdge(rig);
      assert.equal((await stat(edge.socketPath)).mode & 0o777, 0o600);
      assert.equal((await edge.ask(headers)).statusCode, status);
    });
  }
});

describe("whom console.allowFrom and console.hosts let in beside this machine", () => {
  const BRIDGE = { "X-Clawkit-Peer": "172.17.0.1" };

  it("a listed address, such as the bridge of a container: it signs in like everybody", async () => {
    await using rig = await ControlRig.start();
    using edge = await behindEdge(rig, { allowFrom: ["172.17.0.0/16", "fd00::/8"] });
    const from = async (peer: string) => (await edge.ask({ "X-Clawkit-Peer": peer })).statusCode;
    assert.deepEqual([await from("172.17.0.1"), await from("fd00::7")], [401, 401]);
    assert.deepEqual([await from("172.18.0.1"), await from("192.0.2.1"), await from("x")], [403, 403, 403]);
    const { statusCode, headers } = await edge.ask(BRIDGE, { code: edge.server.issueCode() });
    assert.equal(statusCode, 200);
    const Cookie = headers["set-cookie"]![0]!.split(";")[0]!;
    assert.equal((await edge.ask({ ...BRIDGE, Cookie })).statusCode, 200);
  });

  const names: [listed: string[], host: string, status: number][] = [
    [[], "box:18789", 403],
    [["box"], "box:18789", 401],
    [["box"], "BOX:18789", 401],
    [["box"], "box:8080", 403],
    [["box"], "box", 403],
    [["box"], "box.evil.example:18789", 403],
    [["127.0.0.1:8080"], "127.0.0.1:8080", 401],
    [["127.0.0.1:8080"], "127.0.0.1:18789", 401],
    [["[fd00::1]"], "[fd00::1]:18789", 401],
    [["box", "a.example:80"], "a.example", 401],
  ];
  for (const [hosts, host, status] of names) {
    it(`listed: ${hosts.join(", ") || "none"}; Host: ${host}`, async () => {
      await using rig = await ControlRig.start();
      using edge = await behindEdge(rig, { allowFrom: ["172.17.0.1"], hosts });
      assert.equal((await edge.ask({ ...BRIDGE, Host: host })).statusCode, status);
      const origin = { ...BRIDGE, Host: host, Origin: "http://evil.example" };
      assert.equal((await edge.ask(origin)).statusCode, 403, "a foreign Origin is none of them");
    });
  }

  it("a listed machine that guesses tokens closes nobody's way here", async () => {
    await using rig = await ControlRig.start();
    using edge = await behindEdge(rig, { allowFrom: ["172.17.0.1"] });
    const signIn = async (peer: string, token: string) =>
      (await edge.ask({ "X-Clawkit-Peer": peer }, { token })).statusCode;
    for (let i = 0; i < 10; i++) await signIn("172.17.0.1", `guess ${i}`);
    assert.deepEqual([await signIn("172.17.0.1", TOKEN), await signIn("127.0.0.1", TOKEN)], [429, 200]);
  });
});

describe("every answer", () => {
  for (const path of ["/__clawkit__/", "/__clawkit__/api/v1/overview", "/__clawkit__/../../etc/passwd"]) {
    it(`of ${path} keeps scripts, frames and referrers out`, async () => {
      await using rig = await ControlRig.start();
      const { headers } = await ask(rig.port, path, { headers: { Host: `localhost:${rig.port}` } });
      assert.match(
        headers["content-security-policy"] as string,
        /^default-src 'none'; script-src 'self'; style-src/,
      );
      assert.match(headers["content-security-policy"] as string, /frame-ancestors 'none'; base-uri 'none'/);
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.equal(headers["referrer-policy"], "no-referrer");
    });
  }

  it("of the API is stored nowhere", async () => {
    await using rig = await ControlRig.start();
    assert.equal((await rig.api("/overview")).headers["cache-control"], "no-store");
  });

  it("has no secret, and neither has what is written down", async () => {
    await using rig = await ControlRig.start();
    const headers = await rig.signedIn();
    const { body } = await rig.api("/config", { headers });
    await rig.api("/connections/e-1/close", { method: "POST", json: { reason: `token=${TOKEN}` }, headers });
    const written = JSON.stringify(rig.asked.filter(({ kind }) => kind === "note")) + rig.logged.join("\n");
    assert.doesNotMatch(body.toString(), new RegExp(TOKEN));
    assert.match(written, /closed connection e-1/);
    for (const secret of [TOKEN, headers.Cookie!.split("=")[1]!, headers["X-Clawkit-Csrf"]!]) {
      assert.ok(!written.includes(secret));
    }
  });
});
