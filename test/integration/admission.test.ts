import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import https from "node:https";
import { networkInterfaces } from "node:os";
import { after, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { resolveConfig } from "../../src/config/resolve.ts";
import { program, TestClawkit } from "../helpers/clawkit.ts";
import { type ClientEnd, openClients, TestClient } from "../helpers/clients.ts";
import { ask, bodyOf } from "../helpers/http.ts";
import { RawClient, upgradeHead } from "../helpers/raw.ts";
import { TestCertificate } from "../helpers/tls.ts";

const APP_ORIGIN = "https://app.example";
const MAX_CONNECTIONS = 3;

/** An address of this machine at which it is not its own loopback client. */
const OWN_ADDRESS = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === "IPv4")?.address;

/** Its gateway takes everybody for local. */
let plain: TestClawkit;
/** The same, behind a proxy it trusts, and with room for few. */
let behindProxy: TestClawkit;
/** Its gateway trusts the edge; it is open to the network. */
let open: TestClawkit;
/** Their gateways never listen. */
let impatient: TestClawkit;
let patient: TestClawkit;
let certificate: TestCertificate | string;
let secure: TestClawkit | undefined;

before(async () => {
  const upstream = { type: "command", command: program("negotiator") };
  const away = { type: "command", command: program("never-ready", "silent") };
  const started = async (gateway: object) => {
    const clawkit = await TestClawkit.create({ gateway, supervisor: { startTimeoutSec: 600 } });
    await clawkit.runForeground();
    return clawkit;
  };
  certificate = await TestCertificate.make();
  [plain, behindProxy, open, impatient, patient, secure] = await Promise.all([
    TestClawkit.run({ gateway: { upstream, allowedOrigins: [APP_ORIGIN] } }),
    TestClawkit.run({
      gateway: { upstream, trustedProxies: ["127.0.0.0/8"], limits: { maxConnections: MAX_CONNECTIONS } },
    }),
    TestClawkit.run({
      gateway: { upstream: { ...upstream, trustsEdge: true }, bind: "lan", trustedProxies: ["127.0.0.1"] },
    }),
    started({ upstream: away, hold: { maxSec: 1 } }),
    started({ upstream: away, hold: { maxSec: 600 } }),
    typeof certificate === "string"
      ? undefined
      : TestClawkit.run({
          gateway: {
            upstream,
            tls: { cert: certificate.cert, key: certificate.key },
            limits: { handshakeSec: 1 },
          },
        }),
  ]);
});
after(async () => {
  const all = [plain, behindProxy, open, impatient, patient, secure];
  await Promise.all(all.map((clawkit) => clawkit?.[Symbol.asyncDispose]()));
  if (typeof certificate === "object") await certificate[Symbol.asyncDispose]();
});

/** Asks `negotiator` what it was asked. */
const REQUEST_MESSAGE = Buffer.concat([Buffer.from("818700000000", "hex"), Buffer.from("request")]);

type HeaderLines = Readonly<Record<string, string>>;

/** What the gateway saw of a client's upgrade request; throws if the client was refused. */
async function seenByGateway(
  url: string,
  headers: HeaderLines = {},
): Promise<{ url: string; headers: Record<string, string[]> }> {
  const client = new TestClient(url, { headers });
  await client.opened;
  const seen = JSON.parse(await client.echo("request")) as { url: string; rawHeaders: string[] };
  client.socket.terminate();
  const byName: Record<string, string[]> = {};
  for (let i = 0; i < seen.rawHeaders.length; i += 2) {
    const name = seen.rawHeaders[i]!.toLowerCase();
    byName[name] = [...(byName[name] ?? []), seen.rawHeaders[i + 1]!];
  }
  return { url: seen.url, headers: byName };
}

/** Those of the headers that say who the client is. */
function forwardingOf(headers: Record<string, string[]>): Record<string, string[]> {
  const usual = /^(host|connection|upgrade|sec-websocket-.*|x-app)$/;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !usual.test(name)));
}

/** How a client with these headers is refused. */
async function refusal(url: string, headers: HeaderLines): Promise<ClientEnd> {
  const client = new TestClient(url, { headers });
  // a client that is let in must not keep the test waiting
  client.socket.once("message", () => client.socket.close(1000, "was served"));
  client.socket.once("open", () => client.socket.send("am I in?"));
  return await client.ended;
}

const CLAIMS: HeaderLines = {
  "X-Forwarded-For": "192.0.2.7",
  "x-forwarded-for": "127.0.0.1",
  "X-Forwarded-Host": "gateway.example",
  "X-Forwarded-Proto": "https",
  "X-Forwarded": "for=192.0.2.7",
  Forwarded: "for=192.0.2.7",
  "X-Real-IP": "192.0.2.7",
  "X-Client-IP": "192.0.2.7",
  "True-Client-IP": "192.0.2.7",
  "CF-Connecting-IP": "192.0.2.7",
  "CF-Connecting-IPv6": "2001:db8::7",
  "Fastly-Client-IP": "192.0.2.7",
  "X-Cluster-Client-IP": "192.0.2.7",
  "X-Original-Forwarded-For": "192.0.2.7",
  "X-Envoy-External-Address": "192.0.2.7",
  Via: "1.1 proxy",
  "Tailscale-User-Login": "somebody@example.com",
  "Tailscale-Headers-Info": "https://tailscale.com/s/serve-headers",
  "X-Clawkit-Edge": "forged",
};

describe("a loopback client", () => {
  test("is passed on as it came, with nothing said of it", async () => {
    const { url, headers } = await seenByGateway(`${plain.url}/any/path?x=%20y`, { "X-App": "1" });
    assert.equal(url, "/any/path?x=%20y");
    assert.deepEqual(headers.host, [`127.0.0.1:${plain.port}`]);
    assert.deepEqual(headers["x-app"], ["1"]);
    assert.deepEqual(forwardingOf(headers), {});
  });

  for (const [name, value] of Object.entries(CLAIMS)) {
    test(`with ${name} is a proxy that is not trusted: 1008 names the key to set`, async () => {
      const { code, reason } = await refusal(plain.url, { [name]: value });
      assert.deepEqual(
        [code, reason],
        [1008, "proxy on 127.0.0.1 is not trusted: list it in gateway.trustedProxies"],
      );
    });
  }

  test("cannot hide such a header by naming it in Connection", async () => {
    using client = await RawClient.connect(plain.port);
    const replace = { connection: "Upgrade, X-Forwarded-For" };
    client.send(upgradeHead({ replace, lines: ["X-Forwarded-For: 192.0.2.7"] }));
    assert.equal((await client.close()).code, 1008);
  });

  test("cannot hide such a header behind more headers than anybody counts", async () => {
    using client = await RawClient.connect(plain.port);
    const many = Array.from({ length: 3_000 }, () => "a:");
    client.send(upgradeHead({ lines: [...many, "X-Forwarded-For: 192.0.2.7"] }));
    assert.equal((await client.close()).code, 1008);
  });

  test("with such a header gets 403 for a plain request", async () => {
    const { status, body } = await ask(plain.port, "/", { headers: { "X-Forwarded-For": "192.0.2.7" } });
    assert.equal(status, 403);
    assert.match((JSON.parse(body.toString()) as { error: string }).error, /gateway\.trustedProxies/);
  });

  test("over IPv6 is one too", { skip: hasIpv6Loopback() ? false : "no ::1 here" }, async () => {
    const { headers } = await seenByGateway(`ws://[::1]:${plain.port}`);
    assert.deepEqual(forwardingOf(headers), {});
    assert.equal((await refusal(`ws://[::1]:${plain.port}`, { Via: "1.1 proxy" })).code, 1008);
  });
});

describe("a trusted proxy", () => {
  test("that speaks for nobody is a loopback client", async () => {
    for (const { url } of [behindProxy, open]) {
      assert.deepEqual(forwardingOf((await seenByGateway(url)).headers), {});
    }
  });

  test("in front of a gateway that does not trust the edge: its clients are refused, and 1008 names the key", async () => {
    const { code, reason } = await refusal(behindProxy.url, { "X-Forwarded-For": "192.0.2.7" });
    assert.equal(code, 1008);
    assert.match(reason, /gateway\.upstream\.trustsEdge/);
  });

  test("has its client named to a gateway that trusts the edge", async () => {
    const { headers } = await seenByGateway(open.url, {
      "X-Forwarded-For": "192.0.2.7",
      "X-Forwarded-Proto": "https",
    });
    assert.deepEqual(forwardingOf(headers), {
      "x-forwarded-for": ["192.0.2.7, 127.0.0.1"],
      "x-forwarded-proto": ["https"],
    });
  });

  test("has its own word passed on only: what stood before it was the client's to forge", async () => {
    using client = await RawClient.connect(open.port);
    const lines = ["X-Forwarded-For: 127.0.0.1, 198.51.100.2", "X-Forwarded-For: 203.0.113.3, 192.0.2.7"];
    client.send(upgradeHead({ lines }));
    client.send(REQUEST_MESSAGE);
    const { payload } = await client.frame(({ firstByte }) => firstByte === 0x81);
    const { rawHeaders } = JSON.parse(payload.toString()) as { rawHeaders: string[] };
    const at = rawHeaders.findIndex((name) => name.toLowerCase() === "x-forwarded-for");
    assert.deepEqual(rawHeaders.slice(at, at + 2), ["X-Forwarded-For", "192.0.2.7, 127.0.0.1"]);
  });

  test("has every other claim removed, an edge's key among them", async () => {
    const { headers } = await seenByGateway(open.url, { ...CLAIMS, "x-forwarded-for": "192.0.2.7" });
    const { "x-forwarded-proto": proto, ...rest } = forwardingOf(headers);
    assert.deepEqual(rest, { "x-forwarded-for": ["192.0.2.7, 127.0.0.1"] });
    assert.deepEqual(proto, ["https"]);
  });

  test("cannot have our own header removed by naming it in Connection", async () => {
    using client = await RawClient.connect(open.port);
    const replace = { connection: "Upgrade, X-Forwarded-For, X-Forwarded-Proto" };
    client.send(upgradeHead({ replace, lines: ["X-Forwarded-For: 192.0.2.7"] }));
    client.send(REQUEST_MESSAGE);
    const { payload } = await client.frame(({ firstByte }) => firstByte === 0x81);
    assert.match(payload.toString(), /"X-Forwarded-For","192\.0\.2\.7, 127\.0\.0\.1"/);
  });

  test("that does not name its client is told so", async () => {
    const { code, reason } = await refusal(open.url, { "X-Real-IP": "192.0.2.7" });
    assert.equal(code, 1008);
    assert.match(reason, /X-Forwarded-For/);
  });
});

describe("a range of trusted proxies that is none is refused with the config", () => {
  for (const range of [
    "localhost",
    "",
    "10.0.0.0/33",
    "::1/129",
    "10.0.0.1/",
    "10.0.0.1/a",
    "10.0.0.1/8/8",
    "10.0.0",
  ]) {
    test(JSON.stringify(range), () => {
      const text = JSON.stringify({ gateway: { auth: { mode: "none" }, trustedProxies: [range] } });
      assert.throws(() => resolveConfig({ path: "config.json5", text }, {}), /gateway\.trustedProxies/);
    });
  }
});

describe("a remote client", {
  skip: OWN_ADDRESS === undefined && "this machine has no network address",
}, () => {
  const url = () => `ws://${OWN_ADDRESS}:${open.port}`;

  test("is named to the gateway", async () => {
    assert.deepEqual(forwardingOf((await seenByGateway(url())).headers), {
      "x-forwarded-for": [OWN_ADDRESS],
      "x-forwarded-proto": ["http"],
    });
  });

  test("has every claim of its own replaced, an edge's key among them", async () => {
    assert.deepEqual(forwardingOf((await seenByGateway(url(), CLAIMS)).headers), {
      "x-forwarded-for": [OWN_ADDRESS],
      "x-forwarded-proto": ["http"],
    });
  });
});

describe("a page in a browser", () => {
  const own = () => plain.port;
  const ALLOWED: Record<string, () => string> = {
    "from localhost at the edge's port": () => `http://localhost:${own()}`,
    "from 127.0.0.1 at the edge's port": () => `http://127.0.0.1:${own()}`,
    "from ::1 at the edge's port": () => `http://[::1]:${own()}`,
    "from localhost over TLS": () => `https://localhost:${own()}`,
    "from a listed origin": () => APP_ORIGIN,
  };
  for (const [name, origin] of Object.entries(ALLOWED)) {
    test(`${name} is let in`, async () => {
      const client = new TestClient(plain.url, { origin: origin() });
      await client.opened;
      assert.equal(await client.echo("let in"), "let in");
      client.socket.terminate();
    });
  }

  const FOREIGN: Record<string, () => string> = {
    "from elsewhere": () => "https://evil.example",
    "from elsewhere, at the edge's port": () => `http://evil.example:${own()}`,
    "from a name that begins like ours": () => `http://localhost.evil.example:${own()}`,
    "from a name that ends like ours": () => `http://evil-localhost:${own()}`,
    "from another port of this machine": () => "http://localhost:1",
    "from this machine's port 80": () => "http://localhost",
    "from a listed name at another port": () => `${APP_ORIGIN}:8443`,
    "from a listed name without TLS": () => "http://app.example",
    "from a name that begins like a listed one": () => `${APP_ORIGIN}.evil.example`,
    "with a user's name that looks like ours": () => `http://localhost:${own()}@evil.example`,
    "without an origin of its own": () => "null",
    "from a file": () => "file://",
    "from an extension": () => "chrome-extension://abcdefgh",
    "with an origin that is none": () => "localhost",
    "with an empty origin": () => "",
  };
  for (const [name, origin] of Object.entries(FOREIGN)) {
    test(`${name} is refused: 1008 names the key to set`, async () => {
      const { code, reason } = await refusal(plain.url, { Origin: origin() });
      assert.deepEqual([code, reason], [1008, "origin not allowed: list it in gateway.allowedOrigins"]);
    });
  }
});

describe("more connections than allowed", () => {
  test("are told 1013 and the limit, until somebody leaves", async () => {
    await behindProxy.untilStatus(({ connections }) => connections === 0);
    const clients = await openClients(MAX_CONNECTIONS, behindProxy.url);

    const { code, reason } = await new TestClient(behindProxy.url).ended;
    assert.deepEqual([code, reason], [1013, `too many connections: the limit is ${MAX_CONNECTIONS}`]);

    clients[0]!.socket.close();
    await behindProxy.untilStatus(({ connections }) => connections < MAX_CONNECTIONS);
    const next = new TestClient(behindProxy.url);
    await next.opened;
    for (const client of [...clients, next]) client.socket.terminate();
  });
});

describe("a client of a gateway that is away", () => {
  test("is told 1013 and why when its time has run out", async () => {
    const { code, reason } = await new TestClient(impatient.url).ended;
    assert.equal(code, 1013);
    assert.match(reason, /^gateway is starting; try again later/);
  });

  const LEAVE: Record<string, (client: RawClient) => void> = {
    "an end": (client) => client.socket.end(),
    "a reset": (client) => client.socket.resetAndDestroy(),
  };
  for (const [how, leave] of Object.entries(LEAVE)) {
    test(`is forgotten when it gives up with ${how}`, async () => {
      const clients = await Promise.all(Array.from({ length: 5 }, () => RawClient.connect(patient.port)));
      for (const client of clients) client.send(upgradeHead());
      await patient.untilStatus(({ edge }) => edge.held === 5);
      for (const client of clients) leave(client);
      await patient.untilStatus(({ edge }) => edge.held === 0);
    });
  }
});

describe("a refused upgrade echoes the first offered subprotocol, or browsers would see 1006", () => {
  const ROWS: Record<string, { url: () => string; headers?: HeaderLines; code: number }> = {
    "foreign origin": { url: () => plain.url, headers: { Origin: "https://evil.example" }, code: 1008 },
    "unknown proxy": { url: () => plain.url, headers: { Via: "1.1 proxy" }, code: 1008 },
    "hold that ran out": { url: () => impatient.url, code: 1013 },
  };
  for (const [name, { url, headers = {}, code }] of Object.entries(ROWS)) {
    test(name, async () => {
      const socket = new WebSocket(url(), ["first", "second"], { headers });
      const [seen] = await once(socket, "close");
      assert.deepEqual([socket.protocol, seen], ["first", code]);
    });
  }
});

describe("what client and gateway agree on", () => {
  async function connect(protocols: string[], perMessageDeflate: boolean): Promise<WebSocket> {
    const socket = new WebSocket(plain.url, protocols, { perMessageDeflate });
    await once(socket, "open");
    return socket;
  }
  async function echo(socket: WebSocket, message: Buffer | string): Promise<Buffer> {
    socket.send(message);
    return (await once(socket, "message"))[0] as Buffer;
  }

  test("the subprotocol is the gateway's choice", async () => {
    const socket = await connect(["first", "second"], false);
    assert.equal(socket.protocol, "second");
    assert.deepEqual(JSON.parse(String(await echo(socket, "agreed"))), ["second", ""]);
    socket.terminate();
  });

  test("permessage-deflate is agreed on end to end", async () => {
    const socket = await connect([], true);
    assert.equal(socket.extensions, "permessage-deflate");
    assert.deepEqual(JSON.parse(String(await echo(socket, "agreed"))), ["", "permessage-deflate"]);
    socket.terminate();
  });

  const MESSAGES: Record<string, Buffer> = {
    nothing: Buffer.alloc(0),
    "a few bytes": Buffer.from([1, 2, 3]),
    "a megabyte that shrinks to little": Buffer.alloc(1024 * 1024),
    "300 KB that do not shrink": randomBytes(300_000),
  };
  for (const [name, message] of Object.entries(MESSAGES)) {
    test(`a compressed message arrives whole: ${name}`, async () => {
      const socket = await connect([], true);
      for (let round = 0; round < 3; round++) assert.ok((await echo(socket, message)).equals(message));
      socket.terminate();
    });
  }

  test("a client without permessage-deflate gets none", async () => {
    const socket = await connect([], false);
    assert.equal(socket.extensions, "");
    assert.ok(
      (await echo(socket, MESSAGES["300 KB that do not shrink"]!)).equals(
        MESSAGES["300 KB that do not shrink"]!,
      ),
    );
    socket.terminate();
  });
});

describe("TLS", () => {
  /** Runs only with a certificate, which is made in `before`. */
  const secureTest = (name: string, run: (edge: TestClawkit, ca: string) => Promise<void>) =>
    test(name, async (t) => {
      if (secure === undefined || typeof certificate === "string") return t.skip(String(certificate));
      await run(secure, certificate.pem);
    });

  secureTest("wss:// reaches the gateway", async (edge, ca) => {
    assert.equal((await edge.status()).url, `wss://127.0.0.1:${edge.port}`);
    const client = new TestClient(`wss://localhost:${edge.port}`, { ca });
    await client.opened;
    for (const size of [10, 300_000]) {
      const text = "x".repeat(size);
      assert.equal(await client.echo(text), text);
    }
    client.socket.terminate();
  });

  secureTest("https:// reaches it too", async (edge, ca) => {
    const request = https.get({ host: "localhost", port: edge.port, path: "/healthz", ca, agent: false });
    const [response] = await once(request, "response");
    assert.equal(response.statusCode, 200);
    assert.deepEqual(JSON.parse(String(await bodyOf(response))), { ok: true, status: "live" });
  });

  secureTest("a refused client gets its close frame", async (edge, ca) => {
    const client = new TestClient(`wss://localhost:${edge.port}`, { ca, origin: "https://evil.example" });
    assert.equal((await client.ended).code, 1008);
  });

  secureTest("what is no TLS is dropped, and nobody else notices", async (edge, ca) => {
    const before = await edge.status();
    const witness = new TestClient(`wss://localhost:${edge.port}`, { ca });
    await witness.opened;
    for (const bytes of [upgradeHead(), "\0".repeat(1000), Buffer.from("16030100c8010000c40303", "hex")]) {
      using client = await RawClient.connect(edge.port);
      client.send(bytes);
      client.socket.end();
      await client.over();
    }
    assert.equal(await witness.echo("still here"), "still here");
    witness.socket.terminate();
    assert.equal((await edge.status()).edge.pid, before.edge.pid);
  });

  secureTest("a client that is slow with its TLS handshake is dropped like any slow one", async (edge) => {
    const slow = await Promise.all(
      ["", "16030100c8"].map(async (hex) => {
        const client = await RawClient.connect(edge.port);
        client.send(Buffer.from(hex, "hex"));
        return client;
      }),
    );
    await Promise.all(slow.map((client) => client.over())).finally(() => {
      for (const client of slow) client.socket.destroy();
    });
  });
});

function hasIpv6Loopback(): boolean {
  return networkInterfaces().lo?.some(({ address }) => address === "::1") ?? false;
}
