import { once } from "node:events";
import { maskedFrame } from "./frames.ts";
import type { Link } from "./link.ts";
import { closeLinks, openLinks } from "./open-links.ts";
import type { LoadOptions, LoadResult } from "./options.ts";

/** How many links speak at once: a burst over all would fill a proxy's pools with buffers for it. */
const AT_ONCE = 50;

/** Opens links, lets each echo one message, calls `opened`, and holds them until stdin says or ends. */
export async function idle(options: LoadOptions, opened: (result: LoadResult) => void): Promise<undefined> {
  const frame = maskedFrame(options.payload);
  const begun = performance.now();
  const waiting = new Map<Link, () => void>();
  const links = await openLinks(options, (link) => waiting.get(link)?.());
  for (let at = 0; at < links.length; at += AT_ONCE) {
    const group = links.slice(at, at + AT_ONCE);
    const echoes = group.map((link) => new Promise<void>((resolve) => waiting.set(link, resolve)));
    for (const { socket } of group) socket.write(frame);
    await Promise.all(echoes);
    waiting.clear();
  }

  const { user, system } = process.cpuUsage();
  const milliseconds = performance.now() - begun;
  const cpuSecondsInAll = (user + system) / 1e6;
  opened({
    messages: links.length,
    messagesInAll: links.length,
    perSecond: (links.length / milliseconds) * 1000,
    latency: { p50: 0, p99: 0, max: milliseconds },
    cpuShare: cpuSecondsInAll / (milliseconds / 1000),
    cpuSecondsInAll,
    lost: 0,
  });
  process.stdin.resume();
  await Promise.race([once(process.stdin, "data"), once(process.stdin, "end")]);
  closeLinks(links);
}
