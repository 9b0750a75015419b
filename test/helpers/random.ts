/** Chance that can be had again: the same seed gives the same numbers (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** At least 0, below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number of at least 0 and below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i++) bytes[i] = this.below(256);
    return bytes;
  }

  /** Mostly small, now and then up to `limit`: sizes as they come in practice. */
  size(limit: number): number {
    return Math.floor(limit ** this.next());
  }

  /** The bytes, cut into pieces at random places. */
  cut(bytes: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = 1 + this.size(bytes.length - at);
      pieces.push(bytes.subarray(at, at + length));
      at += length;
    }
    return pieces;
  }

  /** A copy in which a few bytes are changed, left out or put in. */
  damage(bytes: Buffer): Buffer {
    let result = Buffer.from(bytes);
    for (let times = 1 + this.below(3); times > 0 && result.length > 0; times--) {
      const at = this.below(result.length);
      const kind = this.below(4);
      if (kind === 0) result[at] = this.below(256);
      else if (kind === 1) result[at]! ^= 1 << this.below(8);
      else {
        const skipped = kind === 2 ? this.size(16) : 0;
        const added = kind === 3 ? this.bytes(this.size(16)) : Buffer.alloc(0);
        result = Buffer.concat([result.subarray(0, at), added, result.subarray(at + skipped)]);
      }
    }
    return result;
  }
}
