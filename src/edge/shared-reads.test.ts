import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { keepChunk, shareReads } from "./shared-reads.ts";

/** A connection on loopback whose `receiver` was made by a server, as the edge's sockets are. */
async function connection(t: TestContext): Promise<{ sender: Socket; receiver: Socket }> {
  const server = net.createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const sender = net.connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [receiver] = await accepted;
  t.after(() => {
    sender.destroy();
    receiver.destroy();
  });
  return { sender, receiver };
}

/** All chunks until so many bytes are there, kept the way a relay keeps them. */
async function keepBytes(receiver: Socket, count: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  await new Promise<void>((resolve) => {
    receiver.on("data", (chunk: Buffer) => {
      keepChunk(chunk);
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= count) resolve();
    });
  });
  return Buffer.concat(chunks);
}

describe("a socket with shared reads", () => {
  it("emits small and large reads unchanged", async (t) => {
    const { sender, receiver } = await connection(t);
    shareReads(receiver);
    const sent = Buffer.concat([randomBytes(100), randomBytes(3 * 1024 * 1024)]);
    sender.write(sent.subarray(0, 100));
    const received = keepBytes(receiver, sent.length);
    sender.write(sent.subarray(100));
    assert.ok((await received).equals(sent));
  });

  it("keeps a kept chunk as it was while other sockets read", async (t) => {
    const pairs = await Promise.all(Array.from({ length: 4 }, () => connection(t)));
    const received = pairs.map(({ receiver }) => {
      shareReads(receiver);
      return keepBytes(receiver, 1024 * 1024);
    });
    const sent = pairs.map(() => randomBytes(1024 * 1024));
    for (const [index, { sender }] of pairs.entries()) sender.write(sent[index]!);
    for (const [index, bytes] of (await Promise.all(received)).entries()) {
      assert.ok(bytes.equals(sent[index]!));
    }
  });

  it("uses the memory of large chunks again that nobody keeps", async (t) => {
    const { sender, receiver } = await connection(t);
    shareReads(receiver);
    const memory = new Set<ArrayBufferLike>();
    let bytes = 0;
    sender.write(Buffer.alloc(4 * 1024 * 1024));
    await new Promise<void>((resolve) => {
      receiver.on("data", (chunk: Buffer) => {
        if (chunk.length >= 32 * 1024) memory.add(chunk.buffer);
        bytes += chunk.length;
        if (bytes === 4 * 1024 * 1024) resolve();
      });
    });
    assert.equal(memory.size, 1);
  });

  it("emits what was read before in front of what is read now", async (t) => {
    const { sender, receiver } = await connection(t);
    receiver.pause();
    receiver.read(0);
    sender.write("early ");
    await once(receiver, "readable");
    shareReads(receiver);
    const received = keepBytes(receiver, 10);
    sender.write("late");
    receiver.resume();
    assert.equal((await received).toString(), "early late");
  });

  it("stops at pause and goes on at resume", async (t) => {
    const { sender, receiver } = await connection(t);
    shareReads(receiver);
    const chunks: string[] = [];
    receiver.on("data", (chunk: Buffer) => {
      chunks.push(chunk.toString());
      receiver.pause();
    });
    sender.write("first");
    while (chunks.length === 0) await new Promise(setImmediate);
    sender.write("second");
    await new Promise<void>((resolve) => sender.end(resolve)); // it is on its way, and so is the end
    assert.deepEqual(chunks, ["first"]);
    receiver.resume();
    while (chunks.length === 1) await new Promise(setImmediate);
    assert.deepEqual(chunks, ["first", "second"]);
  });

  it("ends when its peer does", async (t) => {
    const { sender, receiver } = await connection(t);
    shareReads(receiver);
    receiver.resume();
    sender.end();
    await once(receiver, "end");
    assert.equal(receiver.destroyed, false);
  });
});
