import { useEffect, useState } from "preact/hooks";
import type { LogEntry, LogTail } from "../../../src/control/contract.ts";
import { follow } from "../api/stream.ts";
import { useResource } from "../api/use-resource.ts";
import { absolute } from "../format.ts";
import { Failure } from "../parts/failure.tsx";
import { LogLines } from "../parts/log-lines.tsx";
import { SearchField } from "../parts/search-field.tsx";
import { changeQuery, usePlace } from "../router.tsx";

const SOURCES = ["all", "gateway", "edge", "supervisor", "control"] as const;
const LEVELS = [
  ["info", "All levels"],
  ["warn", "Warnings and errors"],
  ["error", "Errors"],
] as const;

/** More lines than anybody scrolls through; older ones are in the files. */
const MAX_LINES = 1_000;

export function LogsPage() {
  const { query } = usePlace();
  const source = query.get("source") ?? "all";
  const level = query.get("level") ?? "info";
  const before = query.get("before") ?? "";
  const text = query.get("q") ?? "";
  const filters = new URLSearchParams({ source, level, q: text, limit: "500" }).toString();
  return (
    <>
      <h1>Logs</h1>
      <div class="row filters">
        <label>
          <span class="for-readers">Source</span>
          <select
            value={source}
            onChange={({ currentTarget }) => changeQuery({ source: currentTarget.value })}
          >
            {SOURCES.map((name) => (
              <option key={name} value={name}>
                {name === "all" ? "All sources" : name}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span class="for-readers">Level</span>
          <select value={level} onChange={({ currentTarget }) => changeQuery({ level: currentTarget.value })}>
            {LEVELS.map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <SearchField label="Text" hint="Text in the line" value={text} onChange={(q) => changeQuery({ q })} />
      </div>
      {before === "" ? <Tail key={filters} filters={filters} /> : <Past filters={filters} before={before} />}
    </>
  );
}

/** Follows what is written, until somebody scrolls back: what they read then stays where it is. */
function Tail({ filters }: { readonly filters: string }) {
  const [lines, setLines] = useState<readonly LogEntry[]>();
  const [held, setHeld] = useState<readonly LogEntry[]>();
  const [isAway, setIsAway] = useState(false);
  useEffect(() => {
    let isNew = true; // a stream that was opened again begins with its last lines
    return follow(`/logs/events?${filters}`, {
      on: {
        lines: ({ lines: more }: { lines: readonly LogEntry[] }) => {
          const isFirst = isNew;
          isNew = false;
          setLines((before = []) => (isFirst ? more : [...before, ...more]).slice(-MAX_LINES));
        },
      },
      onOpen: () => {
        isNew = true;
        setIsAway(false);
      },
      onAway: () => setIsAway(true),
    });
  }, [filters]);
  const setIsFollowing = (isFollowing: boolean) =>
    setHeld((before) => (isFollowing ? undefined : (before ?? lines)));
  return (
    <LogLines
      lines={held ?? lines}
      isAtEnd={held === undefined}
      onIsAtEnd={setIsFollowing}
      none="No line fits. New ones appear here by themselves."
    >
      <label class="check">
        <input
          type="checkbox"
          checked={held === undefined}
          onChange={({ currentTarget }) => setIsFollowing(currentTarget.checked)}
        />
        Follow new lines
      </label>
      <span class="fine" role="status">
        {isAway
          ? "The server does not answer; trying again."
          : held !== undefined && lines?.at(-1) !== held.at(-1)
            ? "There are new lines."
            : ""}
      </span>
    </LogLines>
  );
}

function Past({ filters, before }: { readonly filters: string; readonly before: string }) {
  const { data, error, reload } = useResource<LogTail>(
    `/logs?${filters}&before=${encodeURIComponent(before)}`,
  );
  return (
    <>
      {error !== undefined && <Failure error={error} onRetry={reload} />}
      <LogLines lines={data?.lines} isAtEnd none="No line fits, up to then.">
        <span>Up to {absolute(Date.parse(before))}</span>
        <button type="button" onClick={() => changeQuery({ before: "" })}>
          Show what is written now
        </button>
      </LogLines>
    </>
  );
}
