/**
 * Calls back after a time that we could work in. On a busy machine a timer fires late, together with the results that
 * came meanwhile: those are heard first, and the lateness is given back once.
 */
export class TimeLimit {
  #timer: NodeJS.Timeout;

  constructor(limitMs: number, onPassed: () => void) {
    const startedAt = performance.now();
    this.#timer = setTimeout(() => {
      const lateMs = Math.max(0, performance.now() - startedAt - limitMs);
      this.#timer = setTimeout(onPassed, Math.min(limitMs, lateMs));
    }, limitMs);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
