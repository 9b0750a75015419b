import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { LogEntry } from "../../../src/control/contract.ts";
import { absolute, clock } from "../format.ts";
import { Empty } from "./empty.tsx";

interface LogLinesProps {
  readonly lines: readonly LogEntry[] | undefined;
  /** The newest line is shown, whatever comes. */
  readonly isAtEnd: boolean;
  /** Told when somebody scrolls away from the end, or back to it. */
  readonly onIsAtEnd?: (isAtEnd: boolean) => void;
  /** What is said if there is no line. */
  readonly none: string;
  /** What stands above the lines, before the way to the crash. */
  readonly children: ComponentChildren;
}

/** Pixels that are no scrolling: fractions, and a hand that rests. */
const SLACK_PX = 4;

/** Lines of logs, in a place that stays as large as it is, and the way to the line before the crash. */
export function LogLines({ lines, isAtEnd, onIsAtEnd, none, children }: LogLinesProps) {
  const place = useRef<HTMLDivElement>(null);
  const [found, setFound] = useState<{ readonly line: LogEntry }>();
  const sought = lines === undefined ? undefined : lineBeforeCrash(lines);
  // before anything is painted, or a scroll event is told
  useLayoutEffect(() => {
    if (isAtEnd && place.current !== null) place.current.scrollTop = place.current.scrollHeight;
  }, [lines, isAtEnd]);
  useLayoutEffect(() => {
    if (found !== undefined) place.current?.querySelector(".log-found")?.scrollIntoView({ block: "center" });
  }, [found]);
  return (
    <>
      <div class="row">
        {children}
        <button
          type="button"
          disabled={sought === undefined}
          title={sought === undefined ? "No crash is in these lines" : undefined}
          onClick={() => {
            onIsAtEnd?.(false);
            if (sought !== undefined) setFound({ line: sought });
          }}
        >
          The line before the crash
        </button>
      </div>
      <div
        ref={place}
        class={lines === undefined ? "log skeleton" : "log"}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, with the keyboard too
        tabIndex={0}
        role="log"
        aria-label="Lines of the logs"
        aria-live="off"
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) =>
          onIsAtEnd?.(scrollHeight - scrollTop - clientHeight <= SLACK_PX)
        }
      >
        {lines?.length === 0 && <Empty>{none}</Empty>}
        {lines?.map((line) => (
          <Line key={keyOf(line)} line={line} isFound={line === found?.line} />
        ))}
      </div>
    </>
  );
}

function Line({ line, isFound }: { readonly line: LogEntry; readonly isFound: boolean }) {
  const { time, source, stream, level, text } = line;
  const at = Date.parse(time);
  return (
    <div class={`log-line log-${stream === "end" ? "end" : level} ${isFound ? "log-found" : ""}`}>
      <time dateTime={time} title={absolute(at)}>
        {clock(at)}
      </time>
      <span class="log-source">{source}</span>
      <span class="log-text">{text}</span>
    </div>
  );
}

let nextKey = 0;
const keys = new WeakMap<LogEntry, number>();

/** Two lines may say the same at the same time. */
function keyOf(line: LogEntry): number {
  const key = keys.get(line) ?? nextKey++;
  keys.set(line, key);
  return key;
}

/** The last word of a process before it ended: most often the answer. */
function lineBeforeCrash(lines: readonly LogEntry[]): LogEntry | undefined {
  const end = lines.findLastIndex(({ stream, level }) => stream === "end" && level === "error");
  if (end === -1) return undefined;
  const { source } = lines[end]!;
  return (
    lines.slice(0, end).findLast((line) => line.source === source && line.stream !== "end") ?? lines[end]
  );
}
