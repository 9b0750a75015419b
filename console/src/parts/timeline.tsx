import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { IncidentDetail, TimelineEntry } from "../../../src/control/contract.ts";
import { bytes, clock } from "../format.ts";
import { ExactTime } from "./time.tsx";

const LANES = [
  ["exit", "Exits"],
  ["start", "Starts"],
  ["ready", "Ready"],
  ["close", "Closes"],
  ["note", "Changes, notes"],
  ["log", "Log lines"],
] as const satisfies readonly (readonly [TimelineEntry["kind"], string])[];

/** The server gives no more. */
const MAX_ENTRIES = 500;

/** Everything around an incident on one axis, and as a list below it. */
export function Timeline({ detail }: { readonly detail: IncidentDetail }) {
  const { timeline, samples, incident } = detail;
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const times = [...timeline, ...samples]
    .map(({ at }) => at)
    .concat(incident.openedAt, incident.closedAt ?? []);
  const from = Math.min(...times);
  const to = Math.max(...times, from + 1_000);
  const left = (at: number) => `${(100 * (at - from)) / (to - from)}%`;
  const end = incident.closedAt ?? to;
  const list = useRef<HTMLOListElement>(null);
  // the list begins where the incident does; what led to it is a scroll away
  useLayoutEffect(() => {
    const began = list.current?.querySelector<HTMLElement>("[data-began]");
    if (began != null) list.current!.scrollTop = began.offsetTop - list.current!.offsetTop;
  }, [incident.id]);
  const shown = timeline.filter(({ kind }) => !hidden.has(kind));
  const first = shown.findIndex(({ at }) => at >= incident.openedAt);
  const toggle = (kind: string) => {
    const next = new Set(hidden);
    if (!next.delete(kind)) next.add(kind);
    setHidden(next);
  };
  return (
    <>
      <div class="axis" aria-hidden="true">
        {LANES.map(([kind, name]) => (
          <div key={kind} class="lane">
            <span class="lane-name">{name}</span>
            <div class="lane-track">
              <span
                class="lane-span"
                style={{ left: left(incident.openedAt), width: widthOf(incident.openedAt, end) }}
              />
              {timeline.map(
                (entry, index) =>
                  entry.kind === kind && (
                    <span
                      key={index}
                      class={`dot dot-${kind}`}
                      style={{ left: left(entry.at) }}
                      title={`${clock(entry.at)} ${entry.text}`}
                    />
                  ),
              )}
            </div>
          </div>
        ))}
        <div class="lane lane-memory">
          <span class="lane-name">Memory</span>
          <div class="lane-track">
            <Memory samples={samples} from={from} to={to} />
          </div>
        </div>
        <div class="lane lane-times">
          <span class="lane-name" />
          <div class="lane-ends">
            <span>{clock(from)}</span>
            <span>{clock(to)}</span>
          </div>
        </div>
      </div>
      <fieldset class="spans">
        <legend class="for-readers">What the list shows</legend>
        {LANES.filter(([kind]) => timeline.some((entry) => entry.kind === kind)).map(([kind, name]) => (
          <label key={kind}>
            <input type="checkbox" checked={!hidden.has(kind)} onChange={() => toggle(kind)} />
            <span>{name}</span>
          </label>
        ))}
      </fieldset>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, with the keyboard too */}
      <ol ref={list} class="entries" tabIndex={0}>
        {shown.map((entry, index) => (
          <li key={index} class={`entry entry-${entry.kind}`} data-began={index === first ? "" : undefined}>
            <ExactTime at={entry.at} />
            <span class="entry-kind">{entry.role ?? entry.kind}</span>
            <span class="entry-text">{entry.text}</span>
          </li>
        ))}
      </ol>
      {timeline.length >= MAX_ENTRIES && (
        <p class="fine">Only the first {MAX_ENTRIES} entries are here; the logs have the others.</p>
      )}
    </>
  );

  function widthOf(begin: number, finish: number): string {
    return `${Math.max(0.3, (100 * (finish - begin)) / (to - from))}%`;
  }
}

const HEIGHT = 40;

function Memory({
  samples,
  from,
  to,
}: { readonly from: number; readonly to: number } & Pick<IncidentDetail, "samples">) {
  const known = samples.flatMap(({ at, gatewayRssBytes }) =>
    gatewayRssBytes === null ? [] : [[at, gatewayRssBytes] as const],
  );
  if (known.length === 0) return <span class="fine">not measured</span>;
  const highest = Math.max(...known.map(([, rss]) => rss));
  const top = 1.4 * highest; // room for the number
  const points = known
    .map(([at, rss]) => `${(1000 * (at - from)) / (to - from)},${HEIGHT - (HEIGHT * rss) / top}`)
    .join(" ");
  return (
    <>
      <svg viewBox={`0 0 1000 ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <polyline points={points} />
      </svg>
      <span class="lane-peak">{bytes(highest)}</span>
    </>
  );
}
