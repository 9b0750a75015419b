import { readFileSync } from "node:fs";

export type Platform = "linux" | "macos" | "windows";

/** A line of the page that is not empty. `number` counts from 1, empty lines included. */
export interface PageLine {
  readonly number: number;
  readonly text: string;
}

/** What one can copy from the page: the lines under a title, as they stand. */
export interface CommandBlock {
  readonly title: PageLine;
  /** Up to the last line of the block; empty lines between are kept as `""`. */
  readonly lines: readonly PageLine[];
}

/** A heading and what stands under it, in the page's order. */
export interface Section {
  readonly heading: PageLine;
  readonly text: readonly PageLine[];
  readonly blocks: readonly CommandBlock[];
}

export interface Page {
  /** Above the first heading. */
  readonly header: readonly PageLine[];
  readonly sections: readonly Section[];
  /** Every line that is not empty. */
  readonly lines: readonly PageLine[];
}

/** The page this project implements: `page.txt`, a copy to the byte. */
export function readPage(): Page {
  return parsePage(readFileSync(new URL("page.txt", import.meta.url), "utf8"));
}

/**
 * The page has no markup. Its lines stand in paragraphs, with an empty line between:
 * - the first paragraph is the header;
 * - one of several lines is a command block, its first line the title;
 * - one that begins with `#` continues the block above it;
 * - a line alone is text if it ends as a sentence does (`.` or `:`), else a heading.
 */
export function parsePage(source: string): Page {
  const [header = [], ...paragraphs] = paragraphsOf(source);
  const sections: { heading: PageLine; text: PageLine[]; blocks: CommandBlock[] }[] = [];
  for (const paragraph of paragraphs) {
    const [first] = paragraph as [PageLine];
    const section = sections.at(-1);
    if (first.text.startsWith("#")) {
      const block = section?.blocks.pop();
      if (block === undefined) throw new Error(`line ${first.number} continues no block: ${first.text}`);
      const gap = { number: first.number - 1, text: "" };
      section!.blocks.push({ ...block, lines: [...block.lines, gap, ...paragraph] });
    } else if (paragraph.length === 1 && !/[.:]$/.test(first.text)) {
      sections.push({ heading: first, text: [], blocks: [] });
    } else {
      if (section === undefined) throw new Error(`line ${first.number} is in no section: ${first.text}`);
      if (paragraph.length === 1) section.text.push(first);
      else section.blocks.push({ title: first, lines: paragraph.slice(1) });
    }
  }
  return { header, sections, lines: paragraphsOf(source).flat() };
}

/** The block with this title. */
export function blockOf(page: Page, title: string): CommandBlock {
  const block = page.sections.flatMap((section) => section.blocks).find((it) => it.title.text === title);
  if (block === undefined) throw new Error(`The page has no block ${title}`);
  return block;
}

/** What a person on `platform` pastes: the block without the lines meant for others, nothing else changed. */
export function scriptFor(block: CommandBlock, platform: Platform): string {
  const lines = block.lines.filter((line) => platformsOf(block, line).includes(platform));
  return lines.map((line) => `${line.text}\n`).join("");
}

/** The commands of a script, without comments and empty lines. */
export function commandsOf(script: string): string[] {
  return script.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

const EVERYWHERE: readonly Platform[] = ["linux", "macos", "windows"];

/** `# macOS/Linux:` and `# Windows` are about the lines below them, up to an empty line or the next of them. */
export function platformsOf(block: CommandBlock, line: PageLine): readonly Platform[] {
  let platforms = EVERYWHERE;
  for (const { number, text } of block.lines) {
    if (text === "") platforms = EVERYWHERE;
    else if (/^# macOS ?\/ ?Linux\b/.test(text)) platforms = ["linux", "macos"];
    else if (/^# Windows\b/.test(text)) platforms = ["windows"];
    if (number === line.number) break;
  }
  return platforms;
}

/** Runs of lines that are not empty. */
function paragraphsOf(source: string): PageLine[][] {
  const paragraphs: PageLine[][] = [];
  let isOpen = false;
  for (const [i, text] of source.split("\n").entries()) {
    if (text === "") {
      isOpen = false;
      continue;
    }
    if (!isOpen) paragraphs.push([]);
    isOpen = true;
    paragraphs.at(-1)!.push({ number: i + 1, text });
  }
  return paragraphs;
}
