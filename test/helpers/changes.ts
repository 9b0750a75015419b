/** Longer than anything here takes, also on a busy machine. */
const DEADLINE_MS = 30_000;

interface Wait {
  readonly look: () => void;
  readonly giveUp: (why: string) => void;
}

/** Lets a test wait for what callbacks bring, without polling: what it looks for is looked for after each change. */
export class Changes {
  readonly #waits = new Set<Wait>();
  readonly #describe: () => string;
  #isOver = false;

  /** `describe` says what was seen instead, for the error of a wait that found nothing. */
  constructor(describe: () => string) {
    this.#describe = describe;
  }

  changed(): void {
    for (const { look } of this.#waits) look();
  }

  /** Nothing more will change: who still waits has waited in vain. */
  over(): void {
    this.changed();
    this.#isOver = true;
    for (const { giveUp } of this.#waits) giveUp("it is over");
  }

  /** What `find` returns, now or after a later change. */
  when<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(deadline);
        this.#waits.delete(wait);
      };
      const giveUp = (why: string) => {
        end();
        reject(new Error(`not seen, ${why}: ${find}; seen: ${this.#describe()}`));
      };
      const look = () => {
        try {
          const found = find();
          if (found === undefined) return;
          resolve(found);
        } catch (error) {
          reject(error);
        }
        end();
      };
      const wait: Wait = { look, giveUp };
      const deadline = setTimeout(() => giveUp(`after ${DEADLINE_MS} ms`), DEADLINE_MS);
      this.#waits.add(wait);
      look();
      if (this.#isOver && this.#waits.has(wait)) giveUp("it is over");
    });
  }
}
