import { withoutSecrets } from "../../core/secrets.ts";
import type { Examination } from "../doctor.ts";
import type { Fact } from "../types.ts";

/** Whether any of these facts was found. */
export function has({ facts }: Examination, ...ids: readonly string[]): boolean {
  return facts.some(({ id }) => ids.includes(id));
}

export function factsNamed({ facts }: Examination, id: string): readonly Fact[] {
  return facts.filter((fact) => fact.id === id);
}

/** Lines that are shown of a change. */
const MAX_LINES = 12;

/** The lines that differ, without secrets, old ones with `-` and new ones with `+`: enough for a config, which is small. */
export function changedLines(before: string, after: string): string[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  const only = (lines: string[], others: string[], mark: string) =>
    lines
      .filter((line) => line.trim() !== "" && !others.includes(line))
      .map((line) => `${mark} ${withoutSecrets(line.trimEnd())}`);
  const lines = [...only(old, now, "-"), ...only(now, old, "+")];
  const more = lines.length - MAX_LINES;
  return more > 0 ? [...lines.slice(0, MAX_LINES), `… ${more} more lines`] : lines;
}
