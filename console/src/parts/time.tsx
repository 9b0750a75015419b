import { absolute, ago, clock } from "../format.ts";
import { useNow } from "./use-now.ts";

/** How long ago, with the exact time on hover; `exact` the other way round. */
export function Time({ at, exact = false }: { readonly at: number; readonly exact?: boolean }) {
  const now = useNow();
  const long = absolute(at);
  return (
    <time dateTime={new Date(at).toISOString()} title={exact ? `${long}, ${ago(at, now)}` : long}>
      {exact ? clock(at) : ago(at, now)}
    </time>
  );
}
