/** First in, first out: echoes come back in the order in which messages were sent. A ring that grows. */
export class SendTimes {
  #times = new Float64Array(0);
  #first = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(time: number): void {
    if (this.#length === this.#times.length) this.#grow();
    this.#times[(this.#first + this.#length++) & (this.#times.length - 1)] = time;
  }

  shift(): number {
    if (this.#length === 0) throw new Error("An echo came for which nothing was sent");
    const time = this.#times[this.#first] as number;
    this.#first = (this.#first + 1) & (this.#times.length - 1);
    this.#length--;
    return time;
  }

  /** To a power of two, for the mask. */
  #grow(): void {
    const grown = new Float64Array(Math.max(16, this.#times.length * 2));
    grown.set(this.#times.subarray(this.#first));
    grown.set(this.#times.subarray(0, this.#first), this.#times.length - this.#first);
    this.#times = grown;
    this.#first = 0;
  }
}
