import net, { type Socket } from "node:net";
import { startReadModeration, stepReadModeration } from "../policy/read-moderation.ts";

/** The most that one read takes: a frame of 64 KiB with its header in one piece, and then some. */
const READ_BYTES = 128 * 1024;

/**
 * A read of this size or more is emitted in memory that is used again. Not smaller ones: whoever keeps one would
 * keep 128 KiB for it.
 */
const LARGE_BYTES = 32 * 1024;

/** One is enough: libuv fills it and hands it on in one go. On Windows too, where it waits with reads of no bytes. */
const shared = Buffer.allocUnsafeSlow(READ_BYTES);
const slots = findSlots();
/** Where the last large read was emitted from, if nobody kept it. */
let reusable: Buffer | undefined;

const moderation = startReadModeration(performance.now());
const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));
let smallReadsOfTurn = 0;

/**
 * Makes an open socket read into one buffer that all such sockets share, and emit `data` with a copy: what
 * `net.Socket`'s `onread` option does, for sockets that somebody else made (an HTTP server, an HTTP request).
 * Without it Node allocates 64 KiB for every read and takes the chunk through a readable stream
 * (docs/decisions/0002-reading.md). Pausing, resuming and the end of the stream stay as they are.
 *
 * Who gets such a chunk calls `keepChunk` before returning from its `data` event if it still needs it.
 *
 * A socket that cannot do so (TLS, another Node) is left alone: its `data` events come as ever.
 */
export function shareReads(socket: Socket): void {
  const { _handle: handle } = socket as unknown as { _handle?: { useUserBuffer?: (buffer: Buffer) => void } };
  if (slots === undefined || "encrypted" in socket || typeof handle?.useUserBuffer !== "function") return;
  handle.useUserBuffer(shared);
  Object.assign(socket, { [slots.buffer]: shared, [slots.callback]: onRead });
}

/** Says that views of a chunk outlive its `data` event. */
export function keepChunk(chunk: Buffer): void {
  if (chunk.buffer === reusable?.buffer) reusable = undefined;
}

/** Returning false would stop the reading; whoever pauses a socket in its `data` event has done that already. */
function onRead(this: Socket, length: number, buffer: Uint8Array): boolean {
  const chunk = length < LARGE_BYTES ? smallChunk(length) : reusableChunk(length);
  chunk.set(buffer.subarray(0, length));
  this.emit("data", chunk);
  return true;
}

function smallChunk(length: number): Buffer {
  // large reads are not counted: nothing is saved by making them larger
  if (smallReadsOfTurn++ === 0) setImmediate(endTurn);
  return Buffer.allocUnsafe(length);
}

function reusableChunk(length: number): Buffer {
  reusable ??= Buffer.allocUnsafeSlow(READ_BYTES);
  return reusable.subarray(0, length);
}

/** Runs behind the reads of a turn of the event loop, before it looks for more. */
function endTurn(): void {
  const waitMs = stepReadModeration(moderation, performance.now(), smallReadsOfTurn);
  smallReadsOfTurn = 0;
  if (waitMs > 0) Atomics.wait(nobodyWakes, 0, 0, waitMs);
}

/** Node keeps what `onread` gave it under symbols of its own: those that hold what we put in. */
function findSlots(): { buffer: symbol; callback: symbol } | undefined {
  const probe = new net.Socket({ onread: { buffer: shared, callback: onRead } });
  const values = probe as unknown as Record<symbol, unknown>;
  const symbols = Object.getOwnPropertySymbols(probe);
  const buffer = symbols.find((symbol) => values[symbol] === shared);
  const callback = symbols.find((symbol) => values[symbol] === onRead);
  return buffer === undefined || callback === undefined ? undefined : { buffer, callback };
}
