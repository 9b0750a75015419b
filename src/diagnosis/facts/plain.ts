import { stripVTControlCharacters } from "node:util";

/** What the messages of a logger's JSON are called: OpenClaw and pino, Docker, journald, tslog of older OpenClaws. */
const MESSAGE_KEYS = ["message", "msg", "log", "MESSAGE", "1", "0"];
const TIME_KEYS = ["time", "timestamp", "ts", "@timestamp"];

/** The text of a file: PowerShell's `>` writes UTF-16, with or without a byte order mark. */
export function decode(bytes: Uint8Array): string {
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  const isWide = (bytes[0] === 0xff && bytes[1] === 0xfe) || zeros(bytes, 1) > WIDE;
  if (isWide) return new TextDecoder("utf-16le").decode(bytes);
  return new TextDecoder(zeros(bytes, 0) > WIDE ? "utf-16be" : "utf-8").decode(bytes);
}

/** Of the first thousand characters: beyond this share of zeros a text is wide, Chinese between its Latin letters too. */
const WIDE = 0.1;

/** The share of zeros at odd (little-endian) or even places; none if they are at both, as in binary data. */
function zeros(bytes: Uint8Array, parity: 0 | 1): number {
  const pairs = Math.min(1000, Math.floor(bytes.length / 2));
  let count = 0;
  let others = 0;
  for (let pair = 0; pair < pairs; pair++) {
    if (bytes[pair * 2 + parity] === 0) count++;
    if (bytes[pair * 2 + (1 - parity)] === 0) others++;
  }
  return pairs === 0 || others * 4 > count ? 0 : count / pairs;
}

/** A text as plain lines, however it was logged or copied: no colours, no CR, no NUL, a line of JSON as its message. */
export function plainOf(text: string): string {
  const lines = stripVTControlCharacters(text.replaceAll("\0", ""))
    .replace(/^\uFEFF/, "")
    .replace(/\r\n?/g, "\n")
    .split("\n")
    .map((line) => (/^\s*\{.*\}\s*$/.test(line) ? messageOf(line) : line));
  return withoutHints(lines).join("\n");
}

function messageOf(line: string): string {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const messages = MESSAGE_KEYS.map((key) => value[key]).filter((message) => typeof message === "string");
  const message = messages.find((one) => !one.startsWith("{"));
  if (message === undefined) return line;
  const area = /^\{"subsystem":"([\w./-]+)"/.exec(messages.find((one) => one.startsWith("{")) ?? "")?.[1];
  const time = TIME_KEYS.map((key) => value[key]).find((one) => typeof one === "string");
  const isTimed = /^\W{0,3}(\d{4}-\d\d-\d\d|\d\d:\d\d)/.test(message);
  return `${isTimed || time === undefined ? "" : `${time} `}${area === undefined ? "" : `[${area}] `}${message.trimEnd()}`;
}

/** What OpenClaw says of every port that stays free, whatever the reason. */
const HINT = / \(startup hang\/crash loop or very slow VM startup\)/g;

/** OpenClaw prints the same list of possible causes below every 1006: it is no evidence for any of them. */
function withoutHints(lines: readonly string[]): string[] {
  let isHint = false;
  return lines.map((line) => {
    isHint = /^\W*Possible causes:\s*$/.test(line) || (isHint && /^\s*[-•*] /.test(line));
    return isHint ? "" : line.replace(HINT, "");
  });
}
