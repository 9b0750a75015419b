import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { absolute, count } from "../format.ts";

export interface Bucket {
  readonly at: number;
  readonly parts: readonly { readonly name: string; readonly count: number }[];
}

interface StackedBarsProps {
  readonly buckets: readonly Bucket[];
  readonly bucketMs: number;
  /** What stands below the bars about the one that is pointed at. */
  readonly about: (bucket: Bucket) => ComponentChildren;
}

/** Counts over time, each bar made of its parts. A bar can be pointed at, tabbed to, and pressed to keep it. */
export function StackedBars({ buckets, bucketMs, about }: StackedBarsProps) {
  const [pointed, setPointed] = useState<number>();
  const [kept, setKept] = useState<number>();
  const names = [...new Set(buckets.flatMap(({ parts }) => parts.map(({ name }) => name)))].sort();
  const highest = Math.max(1, ...buckets.map(totalOf));
  const chosen = buckets.find(({ at }) => at === (pointed ?? kept));
  return (
    <div class="bars">
      <div class="bars-scale" aria-hidden="true">
        <span>{highest.toLocaleString()}</span>
        <span>0</span>
      </div>
      <fieldset class="bars-row">
        <legend class="for-readers">Bars, oldest first</legend>
        {buckets.map((bucket) => {
          const { at, parts } = bucket;
          if (parts.length === 0) return <span key={at} class="bar" />;
          return (
            <button
              key={at}
              type="button"
              class="bar bar-full"
              aria-pressed={kept === at}
              aria-label={labelOf(bucket, bucketMs)}
              onPointerEnter={() => setPointed(at)}
              onPointerLeave={() => setPointed(undefined)}
              onFocus={() => setPointed(at)}
              onBlur={() => setPointed(undefined)}
              onClick={() => setKept(kept === at ? undefined : at)}
            >
              {parts.map(({ name, count: height }) => (
                <span
                  key={name}
                  class={`bar-part cause-${names.indexOf(name) % 8}`}
                  style={{ height: `${(100 * height) / highest}%` }}
                />
              ))}
            </button>
          );
        })}
      </fieldset>
      <ul class="legend">
        {names.map((name, index) => (
          <li key={name}>
            <span class={`swatch cause-${index % 8}`} /> {name} <b>{sumOf(buckets, name).toLocaleString()}</b>
          </li>
        ))}
      </ul>
      <div class="bars-about" aria-live="polite">
        {chosen === undefined ? (
          <p class="fine">Point at a bar to see what happened then; press it to keep it.</p>
        ) : (
          <>
            <p>
              <b>{labelOf(chosen, bucketMs)}</b>
            </p>
            {about(chosen)}
          </>
        )}
      </div>
    </div>
  );
}

function totalOf({ parts }: Bucket): number {
  return parts.reduce((sum, part) => sum + part.count, 0);
}

function sumOf(buckets: readonly Bucket[], name: string): number {
  return buckets
    .flatMap(({ parts }) => parts)
    .reduce((sum, part) => sum + (part.name === name ? part.count : 0), 0);
}

function labelOf(bucket: Bucket, bucketMs: number): string {
  const parts = bucket.parts.map((part) => `${part.name} ${part.count.toLocaleString()}`).join(", ");
  const until = new Date(bucket.at + bucketMs).toLocaleTimeString(undefined, { timeStyle: "short" });
  return `${absolute(bucket.at)} to ${until}: ${count(totalOf(bucket), "disconnect")} (${parts})`;
}
