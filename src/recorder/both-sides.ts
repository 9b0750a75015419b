import type { ConnectionRow } from "./store.ts";
import type { Told, Words } from "./story.ts";

/** What a client says of an end. */
export interface ClientReport {
  readonly code: number;
  /** Wall-clock milliseconds. */
  readonly at: number;
}

/** Clocks of clients are off by minutes; a client may report the end of a silence that began before. */
export const NEAR_MS = 10 * 60_000;

/** Of a client's connections the one whose end it means: what ended nearest to that moment, else what lasted over it. */
export function meantBy(
  rows: readonly ConnectionRow[],
  { at }: ClientReport,
  now: number,
): ConnectionRow | undefined {
  const distance = ({ openedAt, end }: ConnectionRow) => {
    if (end !== null) return Math.abs(end.at - at);
    return openedAt <= at ? NEAR_MS / 2 : Number.POSITIVE_INFINITY; // open for us, and over for the client
  };
  const [nearest] = rows
    .filter(({ openedAt }) => openedAt <= Math.min(at + NEAR_MS, now))
    .toSorted((a, b) => distance(a) - distance(b));
  return nearest === undefined || distance(nearest) > NEAR_MS ? undefined : nearest;
}

export interface BothSides extends Told {
  readonly ours: string;
  readonly meaning: string;
}

/** The client's side of an end and ours, beside each other, and who was between. */
export function tellBothSides(
  row: ConnectionRow,
  report: ClientReport,
  words: Words,
  now: number,
): BothSides {
  const client = `client saw ${report.code} at ${words.time(report.at)}`;
  const [ours, meaning] = row.end === null ? stillOpen(row, words, now) : ourSide(row.end, report, words);
  return {
    ours,
    meaning,
    headline: `${client}; our side: ${ours}`,
    parts: [
      { heading: "so", lines: [meaning] },
      { heading: "connection", lines: [`clawkit why ${row.id}`] },
    ],
  };
}

const SAME = "both sides tell the same";

type Sides = readonly [ours: string, meaning: string];

function stillOpen(row: ConnectionRow, { duration }: Words, now: number): Sides {
  return [
    `it is still open, since ${duration(now - row.openedAt)}, and no FIN or RST ever arrived`,
    "something between ended it for the client and told us nothing; the next ping finds that out",
  ];
}

function ourSide(
  end: NonNullable<ConnectionRow["end"]>,
  report: ClientReport,
  { time, duration }: Words,
): Sides {
  const last = `last byte ${time(end.lastActivityAt)}`;
  const silent = duration(Math.max(0, end.at - end.lastActivityAt));
  const ended = time(end.at);
  switch (end.cause) {
    case "client-unreachable":
      return [
        `${last}, ping unanswered ${ended}, no FIN or RST ever arrived`,
        `something between dropped it silently (${silent} without a byte): a firewall or NAT that forgets idle connections, a VPN, or a network that went away. clawkit probe --idle from the client's side measures it`,
      ];
    case "client-reset":
      return [
        `${last}, reset (RST) from the client's side ${ended}`,
        report.code === 1006
          ? "if the client did not reset it itself, a firewall or load balancer between did, and told both sides so"
          : "the client's system ended it in the middle",
      ];
    case "client-vanished":
      return [
        `${last}, ended (FIN) from the client's side ${ended} without a Close frame`,
        "the client's program ended, or a proxy between (nginx, HAProxy, a load balancer) closed both halves: each side then sees 1006 of the other",
      ];
    case "client-closed":
    case "client-went-away":
    case "client-closed-with-error":
      return [
        `the client itself closed it with ${end.code ?? "no code"} ${ended}`,
        end.code === report.code
          ? SAME
          : "a client that reports another code than it sent means another connection, or was told by its library after a timeout",
      ];
    default:
      return [
        end.code === null
          ? `${last}, ended by the ${end.by} ${ended} without a Close frame (${end.cause})`
          : `${last}, closed by the ${end.by} with ${end.code} ${JSON.stringify(end.reason)} ${ended}`,
        end.code === null || end.code === report.code
          ? SAME
          : `the Close frame did not reach the client: it was on its way when something between, or the client, cut the connection`,
      ];
  }
}
