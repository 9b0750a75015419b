import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { after, before, describe, test } from "node:test";
import { attribute, type Peer } from "../../src/protocol/attribution.ts";
import { FRAGMENT_BYTES, FrameRelay } from "../../src/protocol/frame-relay.ts";
import {
  decodeClose,
  encodeClose,
  encodeHeader,
  MAX_CONTROL_PAYLOAD,
  MAX_HEADER,
} from "../../src/protocol/frames.ts";
import { headerValues } from "../../src/protocol/headers.ts";
import { isOriginAllowed } from "../../src/protocol/origin.ts";
import { allowedRsvOf, asksForWebSocket, checkUpgrade, completeUpgrade } from "../../src/protocol/upgrade.ts";
import { program, TestClawkit } from "../helpers/clawkit.ts";
import { needsProc } from "../helpers/processes.ts";
import { Random } from "../helpers/random.ts";
import {
  parseAnswer,
  parseFrames,
  RawClient,
  type RawFrame,
  SAMPLE_KEY,
  upgradeHead,
} from "../helpers/raw.ts";
import { residentBytes } from "../helpers/usage.ts";
import { Witness } from "../helpers/witness.ts";

/** To run one failure again: FUZZ_SEED=<seed of its case> repeats it as case 0. */
const SEED = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Runs `check` on so many inputs; each has a seed of its own, which a failure names. */
function fuzz(name: string, cases: number, check: (random: Random) => void): void {
  test(`${cases} times ${name}`, () => {
    for (let i = 0; i < cases; i++) {
      const seed = (SEED + i) | 0;
      try {
        check(new Random(seed));
      } catch (cause) {
        throw new Error(`FUZZ_SEED=${seed}: ${(cause as Error).message}`, { cause });
      }
    }
  });
}

/** A receiver that takes the rules of RFC 6455 §5 at their word. */
class StrictReceiver {
  isInMessage = false;
  readonly #masked: boolean;
  readonly #allowedRsv: number;

  constructor(masked: boolean, allowedRsv: number) {
    this.#masked = masked;
    this.#allowedRsv = allowedRsv;
  }

  take({ firstByte, isMasked, payload }: RawFrame): void {
    const [isFinal, rsv, opcode] = [(firstByte & 0x80) !== 0, firstByte & 0x70, firstByte & 0x0f];
    assert.equal(isMasked, this.#masked, "wrong side's masking was passed on");
    assert.ok([0, 1, 2, 8, 9, 10].includes(opcode), `opcode ${opcode} was passed on`);
    if (opcode >= 8) {
      assert.ok(isFinal && payload.length <= MAX_CONTROL_PAYLOAD, "a malformed control frame was passed on");
      assert.equal(rsv, 0, "a reserved bit of a control frame was passed on");
      if (opcode === 8) assert.ok("reason" in decodeClose(payload), "a malformed close frame was passed on");
      return;
    }
    assert.equal(opcode === 0, this.isInMessage, `opcode ${opcode} was passed on at the wrong time`);
    assert.equal(rsv & ~this.#allowedRsv, 0, "a reserved bit was passed on");
    if (opcode === 0) assert.equal(rsv & 0x40, 0, "RSV1 of a continuation was passed on");
    this.isInMessage = !isFinal;
  }
}

interface Sent {
  readonly bytes: Buffer;
  /** Complete messages: the first frame's bits and opcode, all payload. */
  readonly messages: string[];
  readonly controls: string[];
}

/** A conversation as a well-behaved peer would have it, unless its control frames are longer than allowed. */
function conversation(
  random: Random,
  masked: boolean,
  largest: number,
  longestControl = MAX_CONTROL_PAYLOAD,
): Sent {
  const pieces: Buffer[] = [];
  const messages: string[] = [];
  const controls: string[] = [];
  const frame = (firstByte: number, payload: Buffer) => {
    const mask = random.bytes(4);
    pieces.push(encodeHeader({ firstByte, length: payload.length, ...(masked ? { mask } : {}) }));
    pieces.push(masked ? (payload.map((byte, i) => byte ^ mask[i & 3]!) as Buffer) : payload);
  };
  for (let left = 1 + random.below(6); left > 0; left--) {
    const opcode = random.pick([0x1, 0x2]);
    const fragments = random.chance(0.3) ? 1 + random.below(4) : 1;
    const payloads: Buffer[] = [];
    for (let i = 0; i < fragments; i++) {
      const payload = random.bytes(random.size(largest) - 1);
      payloads.push(payload);
      frame((i === fragments - 1 ? 0x80 : 0) | (i === 0 ? opcode : 0), payload);
      if (random.chance(0.3)) {
        const control = random.pick([0x89, 0x8a]);
        const payload = random.bytes(random.below(longestControl + 1));
        controls.push(`${control}:${payload.toString("hex")}`);
        frame(control, payload);
      }
    }
    messages.push(`${opcode}:${Buffer.concat(payloads).toString("hex")}`);
  }
  return { bytes: Buffer.concat(pieces), messages, controls };
}

/** Feeds a relay in random pieces and checks, after each, what no input may break. Returns all it passed on. */
function relay(
  random: Random,
  bytes: Buffer,
  masked: boolean,
  allowedRsv = 0,
): { passed: Buffer; violated: boolean } {
  const relay = new FrameRelay({ masked, allowedRsv, onControl: () => true });
  let passed = Buffer.alloc(0);
  let violated = false;
  const receiver = new StrictReceiver(masked, allowedRsv);
  for (const piece of random.cut(bytes)) {
    const violation = relay.push(piece);
    const out = Buffer.concat(relay.out.splice(0));
    if (violated) assert.deepEqual([violation, out.length], [undefined, 0], "it went on after a violation");
    if (violation !== undefined) {
      violated = true;
      assert.ok([1002, 1007, 1009].includes(violation.code), `code ${violation.code}`);
    }
    const { frames, rest } = parseFrames(out);
    assert.equal(rest.length, 0, "what is passed on does not end at a frame boundary");
    for (const frame of frames) receiver.take(frame);
    if (!violated) assert.equal(relay.midMessage, receiver.isInMessage, "midMessage");
    assert.ok(relay.heldBytes <= FRAGMENT_BYTES + MAX_HEADER, `holds ${relay.heldBytes} bytes`);
    passed = Buffer.concat([passed, out]);
  }
  return { passed, violated };
}

/** What a receiver makes of frames. */
function received(bytes: Buffer): Pick<Sent, "messages" | "controls"> {
  const messages: string[] = [];
  const controls: string[] = [];
  let opcode = 0;
  let payloads: Buffer[] = [];
  for (const { firstByte, payload } of parseFrames(bytes).frames) {
    if ((firstByte & 0x08) !== 0) {
      controls.push(`${firstByte}:${payload.toString("hex")}`);
      continue;
    }
    if ((firstByte & 0x0f) !== 0) opcode = firstByte & 0x0f;
    payloads.push(payload);
    if ((firstByte & 0x80) === 0) continue;
    messages.push(`${opcode}:${Buffer.concat(payloads).toString("hex")}`);
    payloads = [];
  }
  return { messages, controls };
}

describe(`the frame relay (FUZZ_SEED=${SEED})`, () => {
  fuzz("random bytes: no exception, and nothing but whole frames", 60_000, (random) => {
    relay(random, random.bytes(random.size(2_000)), random.chance(0.5), random.pick([0, 0x40, 0x70]));
  });

  fuzz("a proper conversation in random pieces: it arrives as it was", 25_000, (random) => {
    const masked = random.chance(0.5);
    const sent = conversation(random, masked, 2_000);
    const { passed, violated } = relay(random, sent.bytes, masked);
    assert.equal(violated, false);
    assert.deepEqual(received(passed), { messages: sent.messages, controls: sent.controls });
  });

  fuzz("a conversation with large frames: it arrives as it was, in fragments", 60, (random) => {
    const masked = random.chance(0.5);
    const sent = conversation(random, masked, 400_000);
    const { passed } = relay(random, sent.bytes, masked);
    assert.deepEqual(received(passed), { messages: sent.messages, controls: sent.controls });
    const longest = Math.max(...parseFrames(passed).frames.map(({ payload }) => payload.length));
    assert.ok(longest <= FRAGMENT_BYTES, `a frame of ${longest} bytes was passed on`);
  });

  fuzz("a damaged conversation: no exception, and nothing but whole frames", 60_000, (random) => {
    const masked = random.chance(0.5);
    relay(
      random,
      random.damage(conversation(random, masked, 500, 140).bytes),
      masked,
      random.pick([0, 0x40]),
    );
  });
});

describe(`close frames (FUZZ_SEED=${SEED})`, () => {
  fuzz("any payload is read or refused", 15_000, (random) => {
    const payload = random.bytes(random.below(MAX_CONTROL_PAYLOAD + 1));
    if (random.chance(0.5) && payload.length >= 2) payload.writeUInt16BE(random.below(5001), 0);
    const close = decodeClose(payload);
    if ("message" in close) {
      assert.ok([1002, 1007].includes(close.code));
    } else if (close.code !== undefined) {
      assert.ok(close.code >= 1000 && close.code < 5000);
      assert.ok(isUtf8(payload.subarray(2)));
      assert.ok(![1004, 1005, 1006, 1015].includes(close.code));
    }
  });

  fuzz("any reason fits, and can be read again", 10_000, (random) => {
    const characters = ["a", " ", "\0", "é", "€", "😀", "\ud800", "e\u0301"];
    const reason = Array.from({ length: random.below(200) }, () => random.pick(characters)).join("");
    const [frame] = parseFrames(encodeClose(1012, reason)).frames;
    assert.ok(frame!.payload.length <= MAX_CONTROL_PAYLOAD);
    const close = decodeClose(frame!.payload);
    assert.equal(close.code, 1012);
  });
});

const NAMES = [
  ...[
    "Host",
    "Connection",
    "Upgrade",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Sec-WebSocket-Protocol",
  ],
  ...[
    "Sec-WebSocket-Extensions",
    "Origin",
    "Content-Length",
    "Transfer-Encoding",
    "TE",
    "Trailer",
    "Keep-Alive",
  ],
  ...[
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "Forwarded",
    "X-Real-IP",
    "Via",
    "CF-Connecting-IP",
  ],
  ...["Tailscale-User-Login", "X-Clawkit-Edge", "Cookie", "X-App", "Authorization", "Proxy-Authorization"],
];
const VALUES = [
  ...[
    "websocket",
    "Upgrade",
    "keep-alive, Upgrade",
    "h2c",
    "close",
    "13",
    "8",
    SAMPLE_KEY,
    "AAAA",
    "chunked",
    "0",
    "5",
  ],
  ...[
    "192.0.2.7",
    "192.0.2.7, 10.0.0.1",
    ",",
    ", ,",
    "127.0.0.1",
    "https",
    "http://localhost:18789",
    "null",
    "",
  ],
  ...[
    "permessage-deflate",
    "permessage-deflate; client_max_window_bits",
    "x-webkit",
    "a, b",
    "x-forwarded-for, host",
  ],
  ...[
    "x-clawkit-edge",
    "\xff\xfe",
    "\t",
    "http://[::1]:18789",
    "http://[",
    "https://evil.example",
    "for=192.0.2.7",
  ],
];

/** Header lines as no client would send them. */
function headers(random: Random): string[] {
  const list: string[] = [];
  for (let left = random.below(14); left > 0; left--) {
    const name = random.pick(NAMES);
    list.push(random.chance(0.3) ? name.toLowerCase() : name);
    list.push(
      random.chance(0.1)
        ? random
            .bytes(random.below(20))
            .toString("latin1")
            .replace(/[\r\n\0]/g, "")
        : random.pick(VALUES),
    );
  }
  return list;
}

const isClaim = (name: string) =>
  /^(x-forwarded.*|tailscale-.*|forwarded|x-real-ip|via|cf-connecting-ip|x-clawkit-edge)$/i.test(name);
const namesOf = (list: readonly string[]) => list.filter((_, i) => i % 2 === 0);

describe(`headers (FUZZ_SEED=${SEED})`, () => {
  fuzz("nobody is trusted more than its peer address allows", 20_000, (random) => {
    const list = headers(random);
    const peer: Peer = {
      address: random.pick(["127.0.0.1", "::1", "192.0.2.9", "2001:db8::9"]),
      isLoopback: random.chance(0.5),
      isTrustedProxy: random.chance(0.3),
      isTls: random.chance(0.5),
    };
    const upstreamTrustsEdge = random.chance(0.5);
    const result = attribute(list, peer, { upstreamTrustsEdge });
    const claims = namesOf(list).some(isClaim);
    if ("refusal" in result) {
      assert.ok(Buffer.byteLength(result.refusal) <= 123, result.refusal);
      return;
    }
    if (!peer.isLoopback && !upstreamTrustsEdge) {
      // nothing of a remote client may pass as local
      assert.ok(peer.isTrustedProxy && claims, "a remote client was let in");
    }
    const said = namesOf(result.headers).filter(isClaim);
    if (result.isLocal) {
      assert.deepEqual([peer.isLoopback, claims, said], [true, false, []]);
    } else {
      assert.equal(upstreamTrustsEdge, true);
      assert.deepEqual(said, ["X-Forwarded-For", "X-Forwarded-Proto"]);
      assert.ok(headerValues(result.headers, "x-forwarded-for")[0]!.endsWith(peer.address));
    }
    for (const name of namesOf(result.headers)) {
      assert.doesNotMatch(
        name,
        /^(connection|upgrade|te|trailer|keep-alive|transfer-encoding|proxy-authorization)$/i,
      );
    }
  });

  fuzz("only a proper upgrade passes, and our answer to it is one answer", 20_000, (random) => {
    const proper = ["Upgrade", "websocket", "Connection", "Upgrade", "Sec-WebSocket-Version", "13"];
    const list = random.chance(0.5)
      ? [...proper, "Sec-WebSocket-Key", SAMPLE_KEY, ...headers(random)]
      : headers(random);
    const method = random.pick(["GET", "GET", "POST", "HEAD"]);
    const httpVersion = random.pick(["1.1", "1.1", "1.0", "2.0"]);
    asksForWebSocket(list);
    allowedRsvOf(list);
    const refusal = checkUpgrade({ method, httpVersion, headers: list });
    if (refusal === undefined) {
      assert.deepEqual([method, httpVersion], ["GET", "1.1"]);
      assert.deepEqual(headerValues(list, "sec-websocket-key"), [SAMPLE_KEY]);
      assert.equal(headerValues(list, "sec-websocket-version")[0], "13");
      assert.deepEqual(headerValues(list, "transfer-encoding"), []);
    } else {
      assert.ok([400, 405, 426].includes(refusal.status));
    }
    const answer = parseAnswer(Buffer.from(completeUpgrade(list), "latin1"));
    assert.deepEqual([answer?.status, answer?.rest.length], [101, 0]);
  });

  fuzz("only listed origins and our own pages are let in", 10_000, (random) => {
    const scheme = random.pick(["http", "https", "ftp", "HTTP", "javascript", ""]);
    const host = random.pick([
      "localhost",
      "127.0.0.1",
      "[::1]",
      "evil.example",
      "localhost.evil.example",
      "[",
      "",
    ]);
    const port = random.pick([":18789", ":80", ":443", "", ":99999", ":x", ":18789@evil.example"]);
    let origin = `${scheme}://${host}${port}`;
    if (random.chance(0.2)) origin = random.damage(Buffer.from(origin)).toString("latin1");
    if (!isOriginAllowed(origin, 18789, ["https://app.example"])) return;
    const { hostname, port: parsedPort } = new URL(origin);
    assert.ok(origin === "https://app.example" || parsedPort === "18789", origin);
    assert.match(hostname, /^(localhost|127\.0\.0\.1|\[::1\]|app\.example)$/);
  });
});

describe(`a real edge (FUZZ_SEED=${SEED})`, () => {
  /** Sequences under way at once. */
  const PARALLEL = 32;
  const BEFORE_UPGRADE = 1_200;
  const AFTER_UPGRADE = 1_200;
  /** A heap that has not been collected yet, and the sockets of 32 clients; a leak of 64 KB each would be 150 MB. */
  const RSS_SLACK = 64 * 1024 * 1024;

  let clawkit: TestClawkit;
  let witness: Witness;
  before(async () => {
    clawkit = await TestClawkit.run({ gateway: { upstream: { type: "command", command: program("echo") } } });
    witness = new Witness(clawkit);
    await witness.begin();
  });
  after(async () => {
    witness?.end();
    await clawkit?.[Symbol.asyncDispose]();
  });

  let sequences = 0;
  async function attack(cases: number, one: (random: Random) => Promise<void>): Promise<void> {
    const end = sequences + cases;
    const worker = async () => {
      while (sequences < end) {
        const seed = (SEED + sequences++) | 0;
        await one(new Random(seed)).catch((cause: Error) => {
          throw new Error(`FUZZ_SEED=${seed}: ${cause.message}`, { cause });
        });
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
  }

  /** Sends the bytes in pieces, each in a packet of its own if chance wants it, and leaves in one of three ways. */
  async function sendAndLeave(random: Random, client: RawClient, bytes: Buffer): Promise<void> {
    for (const piece of random.chance(0.5) ? [bytes] : random.cut(bytes).slice(0, 20)) {
      client.send(piece);
      if (random.chance(0.5)) await new Promise((resolve) => setImmediate(resolve));
    }
    const how = random.below(3);
    if (how === 0) client.socket.resetAndDestroy();
    else if (how === 1) client.socket.destroySoon();
    else client.socket.end();
    await client.over();
  }

  const request = (random: Random): Buffer => {
    const list = headers(random);
    const lines = namesOf(list).map((name, i) => `${name}: ${list[2 * i + 1]}`);
    const method = random.pick(["GET", "GET", "POST", "HEAD", "OPTIONS", "CONNECT", "PUT"]);
    const path = random.pick([
      "/",
      "/healthz",
      "/__clawkit__/readyz",
      "*",
      "//",
      "/%00",
      "http://x/",
      "/a?b#c",
    ]);
    const body = random.chance(0.3) ? random.bytes(random.size(3_000)) : Buffer.alloc(0);
    const head = random.chance(0.4)
      ? upgradeHead({ path, lines })
      : [`${method} ${path} HTTP/1.1`, "Host: x", ...lines, "", ""].join("\r\n");
    return Buffer.concat([Buffer.from(head, "latin1"), body]);
  };

  async function assertUnharmed(run: () => Promise<void>): Promise<void> {
    // the first few hundred fill caches and code
    await run();
    const before = needsProc === false ? await residentBytes(witness.edgePid) : 0;
    await run();
    await witness.assertUnharmed();
    const growth = needsProc === false ? (await residentBytes(witness.edgePid)) - before : 0;
    assert.ok(growth < RSS_SLACK, `the edge grew by ${Math.round(growth / 1024 / 1024)} MB`);
  }

  test(`${BEFORE_UPGRADE} times random bytes and damaged requests do it no harm`, async () => {
    await assertUnharmed(() =>
      attack(BEFORE_UPGRADE / 2, async (random) => {
        const bytes = random.chance(0.3) ? random.bytes(random.size(20_000)) : random.damage(request(random));
        using client = await RawClient.connect(clawkit.port);
        await sendAndLeave(random, client, bytes);
      }),
    );
  });

  test(`${AFTER_UPGRADE} times random bytes and damaged frames behind an upgrade do it no harm`, async () => {
    await assertUnharmed(() =>
      attack(AFTER_UPGRADE / 2, async (random) => {
        const proper = conversation(random, true, 5_000, 130).bytes;
        const bytes = random.chance(0.3) ? random.bytes(random.size(20_000)) : random.damage(proper);
        using client = await RawClient.connect(clawkit.port);
        if (random.chance(0.5)) {
          client.send(upgradeHead());
          await client.answer();
          await sendAndLeave(random, client, bytes);
        } else {
          await sendAndLeave(random, client, Buffer.concat([Buffer.from(upgradeHead()), bytes]));
        }
      }),
    );
  });
});
