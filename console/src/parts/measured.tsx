import type { Overview } from "../../../src/control/contract.ts";
import { bytes, milliseconds } from "../format.ts";
import { type Line, LineChart, POWERS_OF_TWO, WHOLE } from "./line-chart.tsx";

type Sample = Overview["samples"][number];

/** What the edge measures, over time. */
export function Measured({ overview }: { readonly overview: Overview }) {
  const { from, to, memory } = overview;
  const points = withGaps(overview);
  const axis = { times: points.map(({ at }) => at), from, to };
  const line = (label: string, colour: Line["colour"], measure: (sample: Sample) => number | null): Line => ({
    label,
    colour,
    values: points.map(({ sample }) => (sample === null ? null : measure(sample))),
  });
  const limit = memory.heapLimitBytes;
  const ofLimit = { ...line("heap limit", "--line-2", () => limit), isDashed: true };
  return (
    <>
      <section class="card">
        <LineChart
          {...axis}
          title="Connections"
          steps={WHOLE}
          format={(value) => Math.round(value).toLocaleString()}
          lines={[
            line("open", "--line-1", ({ connections }) => connections),
            line("held", "--line-2", ({ held }) => held),
          ]}
        />
      </section>
      <section class="card">
        <LineChart
          {...axis}
          title="Memory"
          format={bytes}
          steps={POWERS_OF_TWO}
          lines={[
            line("gateway", "--line-1", ({ gatewayRssBytes }) => gatewayRssBytes),
            line("edge", "--line-3", ({ rssBytes }) => rssBytes),
            ...(limit === null ? [] : [ofLimit]),
          ]}
        />
        <p class="fine">
          {memory.availableBytes === null ? "" : `${bytes(memory.availableBytes)} are free on this machine. `}
          {limit === null && (
            <>
              No limit is set (<code>supervisor.heapMb</code>).
            </>
          )}
        </p>
      </section>
      <section class="card">
        <LineChart
          {...axis}
          title="Event-loop delay of the edge"
          format={milliseconds}
          lines={[
            line("p50", "--line-1", ({ loopP50Ms }) => loopP50Ms),
            line("p99", "--line-2", ({ loopP99Ms }) => loopP99Ms),
          ]}
        />
      </section>
      <section class="card">
        <LineChart
          {...axis}
          title="Round trip to clients"
          format={milliseconds}
          lines={[
            line("p50", "--line-1", ({ rttP50Ms }) => rttP50Ms),
            line("p99", "--line-2", ({ rttP99Ms }) => rttP99Ms),
          ]}
        />
      </section>
    </>
  );
}

/** Samples come every 10 s, thinned to 300: three times that without one is a time in which nobody measured. */
function withGaps({ samples, from, to }: Overview): { at: number; sample: Sample | null }[] {
  const gapMs = 3 * Math.max(10_000, (to - from) / 300);
  return samples.flatMap((sample, index) => {
    const { at } = sample;
    const before = samples[index - 1]?.at ?? at;
    return at - before > gapMs
      ? [
          { at: before + 1, sample: null },
          { at, sample },
        ]
      : [{ at, sample }];
  });
}
