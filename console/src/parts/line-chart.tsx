import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { absolute } from "../format.ts";
import { THEME_CHANGED } from "../theme.ts";

export interface Line {
  readonly label: string;
  /** One for each time; null where nothing was measured. */
  readonly values: readonly (number | null)[];
  /** A colour of the style's palette: `--line-1`. */
  readonly colour: `--${string}`;
  readonly isDashed?: boolean;
}

interface LineChartProps {
  readonly title: string;
  /** Wall-clock milliseconds, ascending. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  /** Steps of the scale: whole numbers, powers of two for bytes. */
  readonly steps?: readonly number[];
  readonly from: number;
  readonly to: number;
}

const HEIGHT = 150;
const SYNC = "overview";

/** Lines over time. Charts of one page share their cursor; the values under it stand above the chart. */
export function LineChart({ title, times, lines, format, steps, from, to }: LineChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const [cursor, setCursor] = useState<number>();
  const shape = lines.map(({ label, colour }) => label + colour).join();
  const fill = () => {
    const data = [times.map((at) => at / 1000), ...lines.map(({ values }) => values)] as uPlot.AlignedData;
    chart.current?.setData(data, false);
    chart.current?.setScale("x", { min: from / 1000, max: to / 1000 });
  };
  const newest = useRef(fill);
  newest.current = fill;

  useEffect(() => {
    const element = place.current!;
    const draw = () => {
      chart.current?.destroy();
      const options = optionsOf(element, { lines, format, steps, onCursor: setCursor });
      chart.current = new uPlot(options, undefined, element);
      newest.current();
    };
    draw();
    const resize = new ResizeObserver(() => {
      chart.current?.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    resize.observe(element);
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", draw);
    window.addEventListener(THEME_CHANGED, draw);
    return () => {
      resize.disconnect();
      dark.removeEventListener("change", draw);
      window.removeEventListener(THEME_CHANGED, draw);
      chart.current?.destroy();
      chart.current = undefined;
    };
  }, [shape]);

  // not for a cursor that moves
  useEffect(fill, [lines, from, to]);

  const index = cursor ?? times.length - 1;
  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        <ul class="readout">
          {lines.map(({ label, values, colour }) => (
            <li key={label}>
              <span class="swatch" style={{ background: `var(${colour})` }} />
              {label} <b>{values[index] == null ? "–" : format(values[index])}</b>
            </li>
          ))}
        </ul>
      </figcaption>
      <div class="chart-frame">
        <div ref={place} class="chart-place" role="img" aria-label={described(title, lines, format)} />
        {cursor !== undefined && times[cursor] !== undefined && (
          <span class="chart-at">{absolute(times[cursor])}</span>
        )}
      </div>
    </figure>
  );
}

/** What the picture says, for whoever cannot see it. */
function described(title: string, lines: readonly Line[], format: (value: number) => string): string {
  const parts = lines.map(({ label, values }) => {
    const known = values.filter((value) => value !== null);
    if (known.length === 0) return `${label}: nothing measured`;
    return `${label}: last ${format(known.at(-1)!)}, highest ${format(Math.max(...known))}`;
  });
  return `${title}. ${parts.join(". ")}`;
}

interface Drawing {
  readonly lines: readonly Line[];
  readonly steps: readonly number[] | undefined;
  readonly format: (value: number) => string;
  readonly onCursor: (index: number | undefined) => void;
}

const DAY_S = 86_400;

/** The hour within a day or two, else the date. */
function timeLabel(at: number, ticks: readonly number[]): string {
  const date = new Date(at);
  if (ticks.at(-1)! - ticks[0]! >= 2 * DAY_S)
    return date.toLocaleDateString(undefined, { month: "short", day: "numeric" });
  return date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/** Of counts: there is no half a connection. */
export const WHOLE = Array.from({ length: 8 }, (_, power) =>
  [1, 2, 5].map((one) => one * 10 ** power),
).flat();

/** Of bytes. */
export const POWERS_OF_TWO = Array.from({ length: 50 }, (_, power) => 2 ** power);

function optionsOf(element: HTMLElement, { lines, format, steps, onCursor }: Drawing): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--muted"),
    grid: { stroke: colour("--grid"), width: 1 },
    ticks: { show: false },
    font: `12px ${style.fontFamily}`,
  };
  return {
    width: Math.max(element.clientWidth, 50),
    height: HEIGHT,
    legend: { show: false },
    cursor: { sync: { key: SYNC }, y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { y: { range: (_, _min, max) => [0, Math.max(max * 1.1, 1)] } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map((at) => timeLabel(at * 1000, ticks)) },
      {
        ...axis,
        size: 62,
        space: 24,
        values: (_, ticks) => ticks.map(format),
        ...(steps === undefined ? {} : { incrs: [...steps] }),
      },
    ],
    series: [
      {},
      ...lines.map(
        (line): uPlot.Series => ({
          label: line.label,
          stroke: colour(line.colour),
          width: 1.5,
          ...(line.isDashed === true ? { dash: [5, 4] } : {}),
        }),
      ),
    ],
    hooks: { setCursor: [({ cursor }) => onCursor(cursor.idx ?? undefined)] },
  };
}
