import type { LinkPage, LinkQuery, LinkSort, LiveLink } from "../core/messages.ts";
import type { ConnectionTrack } from "./connection-log.ts";
import type { Link } from "./link.ts";

/** Connections that travel at once, whatever is asked for: their text passes through the edge's own loop. */
const MAX_PAGE = 200;

/** The open connections that fit, sorted, one page of them. */
export function pageOf(links: ReadonlyMap<Link, ConnectionTrack>, query: LinkQuery, now: number): LinkPage {
  const text = query.text.toLowerCase();
  const fitting: Entry[] = [];
  for (const [link, track] of links) {
    if (text === "" || fits(track, text)) fitting.push({ link, track, key: keyOf(link, track, query.sort) });
  }
  const direction = query.isDescending ? -1 : 1;
  fitting.sort((a, b) => direction * (a.key - b.key) || (a.track.id < b.track.id ? -1 : 1));
  const page = fitting.slice(query.offset, query.offset + Math.min(query.limit, MAX_PAGE));
  return { total: fitting.length, links: page.map((entry) => liveLink(entry, now)) };
}

interface Entry {
  readonly link: Link;
  readonly track: ConnectionTrack;
  readonly key: number;
}

function fits({ id, address, client }: ConnectionTrack, text: string): boolean {
  return [id, address, client.clientId, client.clientVersion, client.role].some((part) =>
    part?.toLowerCase().includes(text),
  );
}

function keyOf(link: Link, track: ConnectionTrack, sort: LinkSort): number {
  switch (sort) {
    case "since":
      return track.at;
    case "idle":
      return -link.traffic.lastActivity;
    case "rtt":
      return link.traffic.rttMs ?? -1;
    case "bytes":
      return link.traffic.bytesIn + link.traffic.bytesOut;
  }
}

function liveLink({ link, track }: Entry, now: number): LiveLink {
  const { lastActivity, rttMs, bytesIn, bytesOut } = link.traffic;
  return {
    id: track.id,
    address: track.address,
    openedAt: track.at,
    ...track.client,
    idleMs: Math.max(0, Math.round(now - lastActivity)),
    rttMs,
    bytesIn,
    bytesOut,
    generation: link.generation,
  };
}
