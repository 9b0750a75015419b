import { absolute, ago, clock } from "../format.ts";
import { useNow } from "./use-now.ts";

/** How long ago, with the exact time on hover. */
export function Time({ at }: { readonly at: number }) {
  const now = useNow();
  return (
    <time dateTime={new Date(at).toISOString()} title={absolute(at)}>
      {ago(at, now)}
    </time>
  );
}

/** To the millisecond, with its date on hover: of what follows each other closely. */
export function ExactTime({ at }: { readonly at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={absolute(at)}>
      {clock(at)}
    </time>
  );
}
