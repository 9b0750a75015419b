import { useCallback, useEffect, useState } from "preact/hooks";
import { get } from "./client.ts";

export interface Resource<T> {
  /** What came last; it stays while it is asked for again, so that nothing jumps. */
  readonly data: T | undefined;
  readonly error: Error | undefined;
  readonly reload: () => void;
}

/** What the API has at a path; asked again when the path changes, on `reload`, and every so often. */
export function useResource<T>(path: string | undefined, everyMs?: number): Resource<T> {
  const [state, setState] = useState<{ path?: string; data?: T; error?: Error }>({});
  const [round, setRound] = useState(0);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  useEffect(() => {
    if (path === undefined) return;
    const abort = new AbortController();
    get<T>(path, abort.signal).then(
      (data) => setState({ path, data }),
      (error: Error) => {
        if (abort.signal.aborted) return;
        setState((before) => (before.path === path ? { ...before, error } : { path, error }));
      },
    );
    const timer = everyMs === undefined ? undefined : setTimeout(reload, everyMs);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [path, round, everyMs, reload]);
  return { data: state.data, error: state.error, reload };
}
