/** "3 s", "4 min", "2 h 5 min", "3 d 4 h". */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return join(hours, "h", minutes % 60, "min");
  return join(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** As `humanDuration`, but with tenths below a minute, and milliseconds below a second: "563 ms", "1.2 s". */
export function preciseDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  return humanDuration(ms);
}

/** A moment in the user's own time zone, with its offset: "2026-11-22 14:03:22 +01:00". */
export function localTime(date: Date): string {
  const two = (n: number) => String(Math.abs(n)).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.trunc(offset / 60))}:${two(offset % 60)}`;
  return `${day} ${time} ${zone}`;
}

/**
 * Reads "90s", "10m", "2h", "1d" (back from `now`), a date, or a time of day as logs print it ("14:03:22": the last one,
 * in the machine's own time zone); undefined if it is none of them. Wall-clock milliseconds.
 */
export function parseSince(text: string, now: number): number | undefined {
  const relative = /^(\d+(?:\.\d+)?)(s|m|h|d)$/.exec(text);
  if (relative !== null) {
    const unit = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[relative[2] as "s" | "m" | "h" | "d"];
    return now - Number(relative[1]) * unit;
  }
  const timeOfDay = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(text);
  if (timeOfDay !== null) {
    const [hours, minutes, seconds] = timeOfDay.slice(1).map((part) => Number(part ?? 0));
    const date = new Date(now);
    date.setHours(hours!, minutes, seconds, 0);
    if (date.getTime() > now) date.setDate(date.getDate() - 1);
    return date.getTime();
  }
  if (!/^\d{4}-\d\d-\d\d/.test(text)) return undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : date;
}

function join(major: number, majorUnit: string, minor: number, minorUnit: string): string {
  return minor === 0 ? `${major} ${majorUnit}` : `${major} ${majorUnit} ${minor} ${minorUnit}`;
}
