import { createHistogram } from "node:perf_hooks";
import { maskedFrame } from "./frames.ts";
import { Meter } from "./meter.ts";
import { closeLinks, openLinks } from "./open-links.ts";
import type { LoadOptions, LoadResult } from "./options.ts";
import { startTicker, TICK_MS } from "./ticker.ts";

/**
 * An open loop: `rate` messages a second whatever comes back. At each tick the next links in turn send
 * `inFlight` messages each, in one write as in `throughput`: single ones would cost everybody twice the CPU per
 * message, and half the messages would be all the load. Latency counts from the tick's planned time: a proxy
 * that stalls pays for every message that should have left meanwhile.
 */
export async function fixedRate(options: LoadOptions): Promise<LoadResult> {
  const { inFlight } = options;
  const frames = Buffer.concat(Array.from({ length: inFlight }, () => maskedFrame(options.payload)));
  const meter = new Meter();
  const late = createHistogram();
  const links = await openLinks(options, (link, echoes) => meter.count(link, echoes, performance.now()));

  const burstsPerTick = ((options.rate / 1000) * TICK_MS) / inFlight;
  let ticks = 0;
  let bursts = 0;
  const stop = await startTicker((planned) => {
    late.record(Math.max(1, Math.round((performance.now() - planned) * 1e6)));
    for (const end = Math.round(++ticks * burstsPerTick); bursts < end; bursts++) {
      const link = links[bursts % links.length]!;
      for (let i = 0; i < inFlight; i++) link.sent.push(planned);
      link.socket.write(frames);
    }
  });

  const result = await meter.window(options, { links, begin: () => late.reset(), stop });
  closeLinks(links);
  return { ...result, lateP99: late.percentile(99) / 1e6 };
}
