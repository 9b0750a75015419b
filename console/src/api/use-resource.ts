import { useCallback, useEffect, useState } from "preact/hooks";
import { get } from "./client.ts";
import { useLive } from "./live.ts";
import { whileVisible } from "./visible.ts";

export interface Resource<T> {
  /** What came last; it stays while it is asked for again, so that nothing jumps. */
  readonly data: T | undefined;
  readonly error: Error | undefined;
  readonly reload: () => void;
}

interface Answer<T> {
  readonly path: string;
  readonly at: number;
  readonly data?: T;
  readonly error?: Error;
}

/**
 * What the API has at a path; asked again when the path changes, on `reload`, and, while the page can be seen, so long
 * after each answer: what takes its time is never asked for twice at once.
 */
export function useResource<T>(
  path: string,
  pauseMs?: (data: T | undefined) => number | undefined,
): Resource<T> {
  const [answer, setAnswer] = useState<Answer<T>>();
  const [round, setRound] = useState(0);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  useEffect(() => {
    const abort = new AbortController();
    const take = (got: { data: T } | { error: Error }) => {
      if (abort.signal.aborted) return;
      const at = Date.now();
      setAnswer((before) => ({
        ...("error" in got && before?.path === path ? before : {}),
        path,
        at,
        ...got,
      }));
    };
    get<T>(path, abort.signal).then(
      (data) => take({ data }),
      (error: Error) => take({ error }),
    );
    return () => abort.abort();
  }, [path, round]);

  const waitMs = pauseMs?.(answer?.data);
  useEffect(() => {
    if (answer?.path !== path || waitMs === undefined) return;
    return whileVisible(() => {
      const timer = setTimeout(reload, Math.max(0, answer.at + waitMs - Date.now()));
      return () => clearTimeout(timer);
    });
  }, [answer, path, waitMs, reload]);

  useReconnect(answer?.error, reload);
  return { data: answer?.data, error: answer?.error, reload };
}

/** What could not be had while the server was away is asked for once it is back. */
function useReconnect(error: Error | undefined, reload: () => void): void {
  const { isConnected } = useLive();
  useEffect(() => {
    if (isConnected && error !== undefined) reload();
  }, [isConnected]);
}
