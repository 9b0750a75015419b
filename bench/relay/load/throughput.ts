import { maskedFrame } from "./frames.ts";
import type { Link } from "./link.ts";
import { Meter } from "./meter.ts";
import { closeLinks, openLinks } from "./open-links.ts";
import type { LoadOptions, LoadResult } from "./options.ts";

/** As fast as it goes: each link keeps `inFlight` messages under way. */
export async function throughput(options: LoadOptions): Promise<LoadResult> {
  const frame = maskedFrame(options.payload);
  // all the answers to one read leave in one write, cut from this
  const frames = Buffer.concat(Array.from({ length: options.inFlight }, () => frame));
  const meter = new Meter();
  let sending = true;

  const send = (link: Link, messages: number, now: number) => {
    for (let i = 0; i < messages; i++) link.sent.push(now);
    link.socket.write(frames.subarray(0, messages * frame.length));
  };
  const links = await openLinks(options, (link, echoes) => {
    const now = performance.now();
    meter.count(link, echoes, now);
    if (sending) send(link, echoes, now);
  });

  for (const link of links) send(link, options.inFlight, performance.now());
  const stop = () => {
    sending = false;
  };
  const result = await meter.window(options, { links, stop });
  closeLinks(links);
  return result;
}
