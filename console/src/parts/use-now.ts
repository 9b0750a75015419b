import { useEffect, useState } from "preact/hooks";

const EVERY_MS = 5_000;

const listeners = new Set<(now: number) => void>();
let timer: number | undefined;

/** The time, every few seconds; one timer for the whole page. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    listeners.add(setNow);
    timer ??= window.setInterval(() => {
      for (const listener of listeners) listener(Date.now());
    }, EVERY_MS);
    return () => {
      listeners.delete(setNow);
      if (listeners.size > 0) return;
      window.clearInterval(timer);
      timer = undefined;
    };
  }, []);
  return now;
}
