import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { program, TestClawkit, until } from "../helpers/clawkit.ts";
import { TestClient } from "../helpers/clients.ts";
import { needsProc } from "../helpers/processes.ts";
import {
  hex,
  type RawAnswer,
  RawClient,
  type RawEnd,
  type UpgradeOptions,
  upgradeHead,
} from "../helpers/raw.ts";
import { openFiles } from "../helpers/usage.ts";
import { Witness } from "../helpers/witness.ts";

const HANDSHAKE_SEC = 1;
const HANDSHAKES_PER_ADDRESS = 8;

/** Files an edge may have open beyond what it had: a probe of its gateway, idle connections kept for the next request. */
const IDLE_FILES = 4;

let echo: TestClawkit;
let bad: TestClawkit;
let capped: TestClawkit;
const filesBefore = new Map<TestClawkit, number>();

before(async () => {
  const run = (name: string, gateway: object) =>
    TestClawkit.run({ gateway: { upstream: { type: "command", command: program(name) }, ...gateway } });
  [echo, bad, capped] = await Promise.all([
    run("echo", { limits: { handshakeSec: HANDSHAKE_SEC } }),
    run("bad-gateway", { hold: { maxSec: 1 } }),
    run("echo", {
      limits: { unfinishedHandshakesPerAddress: HANDSHAKES_PER_ADDRESS, handshakeSec: 60 },
    }),
  ]);
  if (needsProc !== false) return;
  for (const clawkit of [echo, bad, capped]) {
    filesBefore.set(clawkit, await openFiles((await clawkit.status()).edge.pid!));
  }
});
after(() => Promise.all([echo, bad, capped].map((clawkit) => clawkit?.[Symbol.asyncDispose]())));

/** A test of something that must not harm the well-behaved client beside it. */
function attacks(of: () => TestClawkit): (name: string, attack: (port: number) => Promise<void>) => void {
  let witness: Witness | undefined;
  after(() => witness?.end());
  return (name, attack) => {
    test(name, { timeout: 30_000 }, async () => {
      witness ??= new Witness(of());
      await witness.begin();
      await attack(of().port);
      await witness.assertUnharmed();
    });
  };
}

/** Sends bytes to which the edge has one last answer. */
async function sendAndRead(port: number, bytes: Buffer | string): Promise<RawAnswer & { end: RawEnd }> {
  using client = await RawClient.connect(port);
  client.send(bytes);
  return await client.lastAnswer();
}

/** One answer with this status, its body, the end of the connection, and nothing else. */
async function assertRefused(port: number, bytes: Buffer | string, status: number): Promise<RawAnswer> {
  const answer = await sendAndRead(port, bytes);
  const length = Number(answer.headers.get("content-length"));
  assert.deepEqual(
    {
      status: answer.status,
      connection: answer.headers.get("connection"),
      behindTheBody: answer.rest.length - length,
    },
    { status, connection: "close", behindTheBody: 0 },
  );
  assert.equal(answer.end, "fin");
  return answer;
}

describe("what is no HTTP is answered 400", () => {
  const attack = attacks(() => echo);
  const ROWS: Record<string, Buffer | string> = {
    "an SSH greeting": "SSH-2.0-OpenSSH_9.9\r\n",
    "a TLS ClientHello": hex("16030100c8010000c40303"),
    "an SMB negotiation": hex("00000054 ff534d42 72000000 00"),
    zeros: Buffer.alloc(4096),
    "0xff": Buffer.alloc(4096, 0xff),
    "the HTTP/2 preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an unknown method": "BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n",
    "an unknown version": upgradeHead({ version: "3.7" }),
    "a path with a control character": upgradeHead({ path: "/a\x01b" }),
    "a path with a tab": upgradeHead({ path: "/a\tb" }),
    "a path with bytes over 0x7f": upgradeHead({ path: "/na\xefve" }),
    "a WebSocket frame without an upgrade": hex("818500000000 68656c6c6f"),
  };
  for (const [name, bytes] of Object.entries(ROWS)) {
    attack(name, async (port) => {
      await assertRefused(port, bytes, 400);
    });
  }
});

describe("a client that is slow to send its request head", () => {
  const attack = attacks(() => echo);

  attack("is answered 408, whether it sends nothing, a part, or a byte at a time", async (port) => {
    const slow: Record<string, (client: RawClient) => void> = {
      nothing: () => undefined,
      "half a request line": (client) => client.send("GET / HT"),
      "a head without its end": (client) => client.send("GET / HTTP/1.1\r\nHost: x\r\n"),
      "a byte at a time": (client) => {
        const head = upgradeHead();
        let at = 0;
        const timer = setInterval(() => client.send(head[at++] ?? "x"), 100);
        void client.ended.then(() => clearInterval(timer));
      },
      "a request, then half of the next": (client) =>
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost"),
    };
    const ends = await Promise.all(
      Object.entries(slow).map(async ([name, begin]) => {
        using client = await RawClient.connect(port);
        begin(client);
        await client.over();
        return [name, /HTTP\/1\.1 408 (?!.*HTTP\/1\.1)/s.test(client.text) ? 408 : client.text];
      }),
    );
    assert.deepEqual(
      ends,
      Object.keys(slow).map((name) => [name, 408]),
    );
  });

  test("does not keep others from its address out: only so many may be slow at once, the oldest go", async () => {
    const witness = new Witness(capped);
    await witness.begin();
    // Linux has all of 127/8: one from another address is older than all and stays
    const stranger =
      process.platform === "linux" ? await RawClient.connect(capped.port, { from: "127.0.0.2" }) : undefined;
    const slow: RawClient[] = [];
    for (let i = 0; i < HANDSHAKES_PER_ADDRESS + 12; i++) slow.push(await RawClient.connect(capped.port));
    const [oldest, newest] = [slow.slice(0, 12), slow.slice(12)];

    await Promise.all(oldest.map((client) => client.over()));

    for (const client of [...newest, ...(stranger === undefined ? [] : [stranger])]) {
      client.send(upgradeHead());
      assert.equal((await client.answer()).status, 101);
      client.socket.destroy();
    }
    await witness.assertUnharmed();
    witness.end();
  });
});

describe("a request head that is too large is answered 431", () => {
  const attack = attacks(() => echo);
  const ROWS: Record<string, string> = {
    "10,000 headers": upgradeHead({ lines: Array.from({ length: 10_000 }, (_, i) => `X-${i}: ${i}`) }),
    "one header of 100 KB": upgradeHead({ lines: [`X-Large: ${"a".repeat(100_000)}`] }),
    "a header name of 100 KB": upgradeHead({ lines: [`${"a".repeat(100_000)}: x`] }),
    "a path of 100 KB": upgradeHead({ path: `/${"a".repeat(100_000)}` }),
  };
  for (const [name, bytes] of Object.entries(ROWS)) {
    attack(name, async (port) => {
      await assertRefused(port, bytes, 431);
    });
  }
  attack("10 MB without an end", async (port) => {
    await assertRefused(
      port,
      Buffer.concat([Buffer.from("GET / HTTP/1.1\r\nX: "), Buffer.alloc(10_000_000, "a")]),
      431,
    );
  });
});

describe("a malformed upgrade is refused with a plain answer", () => {
  const attack = attacks(() => echo);
  const ROWS: Record<string, { options: UpgradeOptions; status: number; header?: [string, string] }> = {
    "no key": { options: { replace: { "sec-websocket-key": undefined } }, status: 400 },
    "a short key": { options: { replace: { "sec-websocket-key": "c2hvcnQ=" } }, status: 400 },
    "a key of 17 bytes": {
      options: { replace: { "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAAA=" } },
      status: 400,
    },
    "a key that is not base64": {
      options: { replace: { "sec-websocket-key": "!!!!!!!!!!!!!!!!!!!!!!==" } },
      status: 400,
    },
    "two keys": { options: { lines: ["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="] }, status: 400 },
    "no version": {
      options: { replace: { "sec-websocket-version": undefined } },
      status: 426,
      header: ["sec-websocket-version", "13"],
    },
    "version 8": {
      options: { replace: { "sec-websocket-version": "8" } },
      status: 426,
      header: ["sec-websocket-version", "13"],
    },
    "version 14": {
      options: { replace: { "sec-websocket-version": "14" } },
      status: 426,
      header: ["sec-websocket-version", "13"],
    },
    POST: { options: { method: "POST" }, status: 405, header: ["allow", "GET"] },
    HEAD: { options: { method: "HEAD" }, status: 405, header: ["allow", "GET"] },
    "HTTP/1.0": { options: { version: "1.0" }, status: 400 },
  };
  for (const [name, { options, status, header }] of Object.entries(ROWS)) {
    attack(`${name}: ${status}`, async (port) => {
      const { headers } = await assertRefused(port, upgradeHead(options), status);
      if (header !== undefined) assert.equal(headers.get(header[0]), header[1]);
    });
  }
});

describe("no request can be hidden in another", () => {
  const attack = attacks(() => echo);
  const post = (...lines: string[]) => ["POST / HTTP/1.1", "Host: x", ...lines].join("\r\n");
  const ROWS: Record<string, string> = {
    "Content-Length and Transfer-Encoding": post(
      "Content-Length: 4",
      "Transfer-Encoding: chunked",
      "",
      "0",
      "",
      "",
    ),
    "Transfer-Encoding and Content-Length": post(
      "Transfer-Encoding: chunked",
      "Content-Length: 4",
      "",
      "0",
      "",
      "",
    ),
    "two lengths": post("Content-Length: 5", "Content-Length: 6", "", "hello"),
    "a list of lengths": post("Content-Length: 5, 6", "", "hello"),
    "a negative length": post("Content-Length: -1", "", "hello"),
    "a length with a sign": post("Content-Length: +5", "", "hello"),
    "a length in hex": post("Content-Length: 0x5", "", "hello"),
    "a length over 2^64": post("Content-Length: 99999999999999999999999", "", "hello"),
    "an unknown transfer encoding": post("Transfer-Encoding: xchunked", "", "0", "", ""),
    "chunked that is not last": post("Transfer-Encoding: chunked, identity", "", "0", "", ""),
    "chunked twice": post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", "", "0", "", ""),
    "a chunk size that is no number": post("Transfer-Encoding: chunked", "", "zz", "", ""),
    "a chunk size over 2^64": post("Transfer-Encoding: chunked", "", "fffffffffffffffff", "", ""),
    "a chunk longer than its size": post("Transfer-Encoding: chunked", "", "2", "hello", "0", "", ""),
    "two Host lines": "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
    "two Host lines in an upgrade": upgradeHead({ lines: ["Host: b"] }),
    "LF in a header": upgradeHead({ lines: ["X-A: one\nX-B: two"] }),
    "CR in a header": upgradeHead({ lines: ["X-A: one\rX-B: two"] }),
    "NUL in a header": upgradeHead({ lines: ["X-A: one\0two"] }),
    "lines that end with LF": upgradeHead().replaceAll("\r\n", "\n"),
    "a folded header": upgradeHead({ lines: ["X-A: one", " two"] }),
    "a folded header with a tab": upgradeHead({ lines: ["X-A: one", "\ttwo"] }),
    "a blank before the colon": upgradeHead({ lines: ["X-A : one"] }),
    "a blank before the first header": upgradeHead().replace("\r\n", "\r\n "),
    "a header without a name": upgradeHead({ lines: [": one"] }),
    "a line without a colon": upgradeHead({ lines: ["X-A"] }),
    "an upgrade with a length": `${upgradeHead({ lines: ["Content-Length: 5"] })}hello`,
    "an upgrade with chunks": `${upgradeHead({ lines: ["Transfer-Encoding: chunked"] })}0\r\n\r\n`,
    "an upgrade with a length that Connection names": `${upgradeHead({
      replace: { connection: "Upgrade, Content-Length" },
      lines: ["Content-Length: 5"],
    })}hello`,
  };
  for (const [name, bytes] of Object.entries(ROWS)) {
    attack(`${name}: 400`, async (port) => {
      using client = await RawClient.connect(port);
      client.send(bytes);
      assert.equal((await client.answer()).status, 400);
      assert.equal(await client.over(), "fin");
    });
  }

  attack("a request behind a refused upgrade is not answered", async (port) => {
    const head = upgradeHead({ replace: { "sec-websocket-key": "wrong" } });
    await assertRefused(port, `${head}GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n`, 400);
  });

  attack("a request behind an upgrade is taken for frames, and ends the link with 1002", async (port) => {
    using client = await RawClient.connect(port);
    client.send(`${upgradeHead()}GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.equal((await client.close()).code, 1002);
    client.socket.end();
    await client.over();
    assert.equal(client.text.match(/HTTP\/1\.1/g)?.length, 1);
    assert.equal(client.frames().length, 1);
  });

  attack("Upgrade: h2c is plain HTTP, and the connection stays so", async (port) => {
    using client = await RawClient.connect(port);
    const head = upgradeHead({
      replace: { upgrade: "h2c", connection: "Upgrade, HTTP2-Settings" },
      lines: ["HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"],
    });
    // the echo server's own answer to plain HTTP
    const answers = (n: number) =>
      client.until(() =>
        client.text.match(/HTTP\/1\.1 426 Upgrade Required/g)?.length === n ? true : undefined,
      );
    client.send(head);
    await answers(1);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await answers(2);
  });
});

describe("a client that breaks the framing", () => {
  const attack = attacks(() => echo);
  const MASK = "00000000";
  const close = (code: number) => `8882${MASK}${code.toString(16).padStart(4, "0")}`;
  const ROWS: Record<string, { bytes: string | Buffer; code: number }> = {
    ...Object.fromEntries(
      [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [
        `opcode ${opcode}`,
        { bytes: `8${opcode.toString(16)}80${MASK}`, code: 1002 },
      ]),
    ),
    "RSV1 without an extension": { bytes: `c185${MASK}68656c6c6f`, code: 1002 },
    RSV2: { bytes: `a185${MASK}68656c6c6f`, code: 1002 },
    RSV3: { bytes: `9185${MASK}68656c6c6f`, code: 1002 },
    "RSV1 on a ping": { bytes: `c980${MASK}`, code: 1002 },
    "an unmasked text": { bytes: "810568656c6c6f", code: 1002 },
    "an unmasked ping": { bytes: "8900", code: 1002 },
    "an unmasked close": { bytes: "880203e8", code: 1002 },
    "a ping of 126 bytes": { bytes: `89fe007e${MASK}${"61".repeat(126)}`, code: 1002 },
    "a ping that claims 2^32 bytes": { bytes: `89ff0000000100000000${MASK}`, code: 1002 },
    "a close of 126 bytes": { bytes: `88fe007e${MASK}03e8${"61".repeat(124)}`, code: 1002 },
    "a fragmented ping": { bytes: `0980${MASK}`, code: 1002 },
    "a fragmented close": { bytes: `0880${MASK}`, code: 1002 },
    "a continuation of nothing": { bytes: `8081${MASK}61`, code: 1002 },
    "a text inside a fragmented text": { bytes: `0181${MASK}61 8181${MASK}62`, code: 1002 },
    "a length of 2^63 bytes": { bytes: `82ff8000000000000000${MASK}`, code: 1009 },
    "a length of 2^53 bytes": { bytes: `82ff0020000000000000${MASK}`, code: 1009 },
    "a close of one byte": { bytes: `8881${MASK}03`, code: 1002 },
    ...Object.fromEntries(
      [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535].map((code) => [
        `close code ${code}`,
        { bytes: close(code), code: 1002 },
      ]),
    ),
    "a close reason that is not UTF-8": { bytes: `8884${MASK}03e8c328`, code: 1007 },
    "a close reason cut in a character": { bytes: `8884${MASK}03e8e282`, code: 1007 },
    "a close reason with a surrogate": { bytes: `8885${MASK}03e8eda080`, code: 1007 },
    // the gateway's own judgement, passed on
    "a text that is not UTF-8": { bytes: `8182${MASK}c328`, code: 1007 },
    "bytes of HTTP": { bytes: Buffer.from("GET / HTTP/1.1\r\n\r\n"), code: 1002 },
    "a good message, then a bad one": { bytes: `8182${MASK}6f6b 8700`, code: 1002 },
  };
  for (const [name, { bytes, code }] of Object.entries(ROWS)) {
    attack(`${name}: ${code}`, async (port) => {
      using client = await RawClient.upgrade(port);
      client.send(typeof bytes === "string" ? hex(bytes) : bytes);
      assert.equal((await client.close()).code, code);
      client.socket.end();
      assert.equal(await client.over(), "fin");
      assert.equal(client.frames().at(-1)?.firstByte, 0x88, "something came behind the close frame");
    });
  }

  attack("gets its close frame and no reset, even when it sends 20 MB more", async (port) => {
    using client = await RawClient.upgrade(port);
    client.send(Buffer.concat([hex("8700"), Buffer.alloc(20_000_000, 0x42)]));
    assert.equal((await client.close()).code, 1002);
    client.socket.end();
    assert.equal(await client.over(), "fin");
  });

  attack("may vanish in the middle of anything", async (port) => {
    const halves: (Buffer | string)[] = [
      "GET / HT",
      upgradeHead().slice(0, -1),
      upgradeHead(),
      Buffer.concat([Buffer.from(upgradeHead()), hex("81fe")]),
      Buffer.concat([
        Buffer.from(upgradeHead()),
        hex("82ff0000000001000000 00000000"),
        Buffer.alloc(100_000),
      ]),
      Buffer.concat([Buffer.from(upgradeHead()), hex("89fd 00000000 6161")]),
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nhello",
    ];
    const endings: ((client: RawClient) => void)[] = [
      (client) => client.socket.end(),
      (client) => client.socket.destroy(),
      (client) => client.socket.resetAndDestroy(),
    ];
    for (const half of halves) {
      for (const ending of endings) {
        using client = await RawClient.connect(port);
        client.socket.write(half, () => ending(client));
        await client.over();
      }
    }
  });
});

describe("a gateway that breaks the framing", () => {
  const attack = attacks(() => bad);
  const PATHS = [
    ...[
      "garbage",
      "http",
      "masked",
      "close-1005",
      "close-1006",
      "close-one-byte",
      "close-bad-utf8",
      "close-long",
    ],
    ...["fragmented-ping", "reserved-opcode", "reserved-bit", "continuation-first", "endless-length"],
    "good-then-garbage",
  ];
  for (const path of PATHS) {
    attack(`${path}: its client is told 1011`, async (port) => {
      using client = await RawClient.upgrade(port, { path: `/${path}` });
      const { code, reason } = await client.close();
      assert.equal(code, 1011);
      assert.match(reason, /^gateway broke the WebSocket protocol: /);
      client.socket.end();
      assert.equal(await client.over(), "fin");
    });
  }

  for (const path of ["wrong-key", "no-key", "no-upgrade-header", "101-plain", "101-unasked"]) {
    attack(`101 with ${path}: its client is told 1011`, async (port) => {
      const client = new TestClient(`ws://127.0.0.1:${port}/${path}`);
      const { code, reason } = await client.ended;
      assert.deepEqual(
        { code, reason },
        { code: 1011, reason: "gateway answered the upgrade with a wrong key" },
      );
    });
  }

  attack(
    "ends a connection in the middle of a frame: its client is told 1011 at a frame boundary",
    async (port) => {
      const paths = ["drop", "half-header-drop", "half-frame-drop"];
      const ends = await Promise.all(
        paths.map(async (path) => {
          using client = await RawClient.upgrade(port, { path: `/${path}` });
          const { code, reason } = await client.close();
          client.socket.end();
          return [path, code, reason, await client.over()];
        }),
      );
      assert.deepEqual(
        ends,
        paths.map((path) => [path, 1011, "gateway dropped this connection", "fin"]),
      );
    },
  );
});

describe("a gateway's answer that is not 101", () => {
  const attack = attacks(() => bad);
  const BEHIND = "GET /401 HTTP/1.1\r\nHost: x\r\n\r\n";
  const ROWS: { path: string; status: number; body: string; header?: [string, string] }[] = [
    { path: "401", status: 401, body: "go away", header: ["www-authenticate", "Bearer"] },
    { path: "401-chunked", status: 401, body: "go away" },
    { path: "302", status: 302, body: "", header: ["location", "https://elsewhere.test/"] },
    { path: "200-open-end", status: 200, body: "till the end" },
    { path: "200-two-answers", status: 200, body: "one" },
    { path: "103-then-200", status: 200, body: "ok" },
    // the bytes of the gateway, not their UTF-8
    { path: "header-latin1", status: 200, body: "ok", header: ["x-name", "Zo\xeb"] },
  ];
  for (const { path, status, body, header } of ROWS) {
    for (const behind of ["", BEHIND]) {
      attack(
        `${path} is passed on and ends the connection${behind && ", with a request behind"}`,
        async (port) => {
          const answer = await sendAndRead(port, upgradeHead({ path: `/${path}` }) + behind);
          assert.deepEqual(
            {
              status: answer.status,
              body: answer.rest.toString(),
              connection: answer.headers.get("connection"),
            },
            { status, body, connection: "close" },
          );
          if (header !== undefined) assert.equal(answer.headers.get(header[0]), header[1]);
          assert.equal(answer.end, "fin");
        },
      );
    }
  }

  attack("is no HTTP: the hold runs out and its client is told 1013", async (port) => {
    const paths = ["ssh", "huge-head", "two-lengths", "length-and-chunked", "silent"];
    const ends = await Promise.all(
      paths.map((path) => new TestClient(`ws://127.0.0.1:${port}/${path}`).ended),
    );
    assert.deepEqual(
      ends.map(({ code }, i) => [paths[i], code]),
      paths.map((path) => [path, 1013]),
    );
  });
});

describe("a gateway's plain answer that cannot be passed on", () => {
  const attack = attacks(() => bad);
  const PATHS = [
    ...["status-042", "status-000", "101-plain", "101-unasked"],
    ...["ssh", "huge-head", "two-lengths", "length-and-chunked"],
  ];
  for (const path of PATHS) {
    attack(`${path} becomes a 502 or 503`, async (port) => {
      const { status } = await sendAndRead(
        port,
        `GET /${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      );
      assert.ok(status === 502 || status === 503, `status ${status}`);
    });
  }
  for (const path of ["reason-control", "reason-escape", "reason-latin1"]) {
    attack(`${path} is passed on without the reason's control characters, or becomes a 502`, async (port) => {
      using client = await RawClient.connect(port);
      client.send(`GET /${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      const { status } = await client.lastAnswer();
      assert.ok(status === 200 || status === 502, `status ${status}`);
      assert.doesNotMatch(client.text.split("\r\n")[0]!, /[\x00-\x1f\x7f]/);
    });
  }
});

describe("a client that does not wait for the gateway's 101", () => {
  const attack = attacks(() => bad);

  // It was paused at 64 KB of early bytes, and nothing resumed it when too few of them could be passed on.
  attack("loses nothing of what it sends early", async (port) => {
    const message = Buffer.concat([hex("82feea60 00000000"), Buffer.alloc(60_000, 7)]);
    using client = await RawClient.connect(port);
    client.send(Buffer.concat([Buffer.from(upgradeHead({ path: "/late" })), message, message, message]));
    const echoes = await client.until(() => (client.frames().length === 3 ? client.frames() : undefined));
    assert.deepEqual(
      echoes.map(({ firstByte, payload }) => [firstByte, payload.length]),
      Array.from({ length: 3 }, () => [0x82, 60_000]),
    );
  });
});

describe("when all is over", () => {
  test("the edge has as many sockets open as before", { skip: needsProc }, async () => {
    for (const [clawkit, before] of filesBefore) {
      const { edge } = await clawkit.untilStatus(({ connections }) => connections === 0);
      const now = () => openFiles(edge.pid!);
      await until(async () => ((await now()) <= before + IDLE_FILES ? true : undefined)).catch(async () =>
        assert.fail(`${before} files were open before, ${await now()} are now`),
      );
    }
  });

  // last, as it ends the gateway
  test("half a frame, then the gateway's end: its client is told 1012 at a frame boundary", async () => {
    const before = await bad.status();
    using client = await RawClient.upgrade(bad.port, { path: "/half-frame-exit" });
    assert.deepEqual(await client.close(), {
      code: 1012,
      reason: "gateway restarting (exited with code 1), reconnect now",
    });
    client.socket.end();
    assert.equal(await client.over(), "fin");
    assert.equal((await bad.ready()).edge.pid, before.edge.pid);
  });
});
