/** A port that another gateway still has; its clients are to find nobody there for as short a time as can be. */
export interface TakeOver {
  /** Everything is loaded, and nothing else stands in the way: the other one may be asked to stop. */
  readonly onWaiting: () => void;
  /** Resolves when the other one is gone; rejects if nothing is to be taken over any more. */
  readonly released: Promise<void>;
}
