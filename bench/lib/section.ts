import { existsSync, readFileSync, writeFileSync } from "node:fs";

/**
 * Replaces what stands between `<!-- NAME -->` and `<!-- /NAME -->` in a Markdown file. A file without the
 * markers gets them at its end; a missing file is begun.
 */
export function writeSection(path: string, name: string, text: string): void {
  const before = existsSync(path) ? readFileSync(path, "utf8") : "# Benchmarks\n";
  writeFileSync(path, replaceSection(before, name, text));
}

export function replaceSection(document: string, name: string, text: string): string {
  const open = `<!-- ${name} -->`;
  const close = `<!-- /${name} -->`;
  const section = `${open}\n${text.trim()}\n${close}`;
  const from = document.indexOf(open);
  if (from < 0) return `${document.trimEnd()}\n\n${section}\n`;
  const to = document.indexOf(close, from);
  if (to < 0) throw new Error(`Cannot replace section ${name} as its closing marker ${close} is missing`);
  return document.slice(0, from) + section + document.slice(to + close.length);
}
