import { useEffect, useRef, useState } from "preact/hooks";
import type { LogEntry, LogTail } from "../../../src/control/contract.ts";
import { API } from "../api/client.ts";
import { useResource } from "../api/use-resource.ts";
import { absolute, clock } from "../format.ts";
import { Empty } from "../parts/empty.tsx";
import { Failure } from "../parts/failure.tsx";
import { setQuery, usePlace } from "../router.tsx";

const SOURCES = ["all", "gateway", "edge", "supervisor", "control"] as const;
const LEVELS = [
  ["info", "All levels"],
  ["warn", "Warnings and errors"],
  ["error", "Errors"],
] as const;

/** More lines than anybody scrolls through; older ones are in the files. */
const MAX_LINES = 1_000;

const TYPING_MS = 250;

export function LogsPage() {
  const { query } = usePlace();
  const source = query.get("source") ?? "all";
  const level = query.get("level") ?? "info";
  const before = query.get("before") ?? "";
  const text = query.get("q") ?? "";
  const [typed, setTyped] = useState(text);
  const change = (next: Record<string, string>) => setQuery({ ...Object.fromEntries(query), ...next });
  useEffect(() => {
    const timer = setTimeout(() => typed !== text && change({ q: typed }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const filters = new URLSearchParams({ source, level, q: text, limit: "500" }).toString();
  return (
    <>
      <h1>Logs</h1>
      <div class="row filters">
        <label>
          <span class="for-readers">Source</span>
          <select value={source} onChange={({ currentTarget }) => change({ source: currentTarget.value })}>
            {SOURCES.map((name) => (
              <option key={name} value={name}>
                {name === "all" ? "All sources" : name}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span class="for-readers">Level</span>
          <select value={level} onChange={({ currentTarget }) => change({ level: currentTarget.value })}>
            {LEVELS.map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label class="search">
          <span class="for-readers">Text</span>
          <input
            type="search"
            placeholder="Text in the line"
            value={typed}
            onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          />
        </label>
      </div>
      {before === "" ? (
        <Tail key={filters} filters={filters} />
      ) : (
        <Past filters={filters} before={before} onLive={() => change({ before: "" })} />
      )}
    </>
  );
}

/** Follows what is written. */
function Tail({ filters }: { readonly filters: string }) {
  const [lines, setLines] = useState<readonly LogEntry[]>();
  const [isFollowing, setIsFollowing] = useState(true);
  const [isAway, setIsAway] = useState(false);
  useEffect(() => {
    const source = new EventSource(`${API}/logs/events?${filters}`);
    let isNew = true; // a stream that was opened again begins with its last lines
    source.addEventListener("open", () => {
      isNew = true;
      setIsAway(false);
    });
    source.addEventListener("error", () => setIsAway(true));
    source.addEventListener("lines", ({ data }) => {
      const { lines: more } = JSON.parse(data as string) as { lines: readonly LogEntry[] };
      const isFirst = isNew;
      isNew = false;
      setLines((before = []) => (isFirst ? more : [...before, ...more]).slice(-MAX_LINES));
    });
    return () => source.close();
  }, [filters]);
  return (
    <>
      <div class="row">
        <label class="check">
          <input
            type="checkbox"
            checked={isFollowing}
            onChange={({ currentTarget }) => setIsFollowing(currentTarget.checked)}
          />
          Follow new lines
        </label>
        <JumpToCrash lines={lines ?? []} onJump={() => setIsFollowing(false)} />
        <span class="fine" role="status">
          {isAway ? "Nobody sends lines now; trying again." : ""}
        </span>
      </div>
      <Lines lines={lines} isFollowing={isFollowing} />
    </>
  );
}

interface PastProps {
  readonly filters: string;
  readonly before: string;
  readonly onLive: () => void;
}

function Past({ filters, before, onLive }: PastProps) {
  const { data, error } = useResource<LogTail>(`/logs?${filters}&before=${encodeURIComponent(before)}`);
  return (
    <>
      <div class="row">
        <span>Up to {absolute(Date.parse(before))}</span>
        <button type="button" onClick={onLive}>
          Show what is written now
        </button>
        <JumpToCrash lines={data?.lines ?? []} onJump={() => undefined} />
      </div>
      {error !== undefined && <Failure error={error} />}
      <Lines lines={data?.lines} isFollowing />
    </>
  );
}

/** The last word of a process before it ended: most often the answer. */
function lineBeforeCrash(lines: readonly LogEntry[]): number | undefined {
  const end = lines.findLastIndex(({ stream, level }) => stream === "end" && level === "error");
  if (end === -1) return undefined;
  const own = lines
    .slice(0, end)
    .findLastIndex(({ source, stream }) => source === lines[end]!.source && stream !== "end");
  return own === -1 ? end : own;
}

function JumpToCrash({
  lines,
  onJump,
}: {
  readonly lines: readonly LogEntry[];
  readonly onJump: () => void;
}) {
  const index = lineBeforeCrash(lines);
  return (
    <button
      type="button"
      disabled={index === undefined}
      title={index === undefined ? "No crash is in these lines" : undefined}
      onClick={() => {
        onJump();
        const line = document.querySelector(`[data-line="${index}"]`);
        line?.scrollIntoView({ block: "center" });
        line?.classList.add("log-found");
      }}
    >
      The line before the crash
    </button>
  );
}

interface LinesProps {
  readonly lines: readonly LogEntry[] | undefined;
  readonly isFollowing: boolean;
}

function Lines({ lines, isFollowing }: LinesProps) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isFollowing && place.current !== null) place.current.scrollTop = place.current.scrollHeight;
  }, [lines, isFollowing]);
  if (lines === undefined) return <div class="skeleton" />;
  if (lines.length === 0) return <Empty>No line fits. New ones appear here by themselves.</Empty>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, with the keyboard too
    <div ref={place} class="log" tabIndex={0} role="log" aria-label="Lines of the logs" aria-live="off">
      {lines.map(({ time, source, stream, level, text }, index) => (
        <div key={index} data-line={index} class={`log-line log-${stream === "end" ? "end" : level}`}>
          <time dateTime={time} title={absolute(Date.parse(time))}>
            {clock(Date.parse(time))}
          </time>
          <span class="log-source">{source}</span>
          <span class="log-text">{text}</span>
        </div>
      ))}
    </div>
  );
}
