/** What stands in place of a secret. It is no valid secret, so writing it back would be refused. */
export const REDACTED = "[redacted]";

/** A secret shorter than this would redact ordinary words. */
const MIN_KNOWN = 6;

const NAMES = "token|password|passwd|secret|api[-_]?key|access[-_]?key|private[-_]?key|signature|credential";

const PATTERNS: readonly [pattern: RegExp, replacement: string][] = [
  // headers: everything up to the end of the line, or of the string they are quoted in
  [/\b((?:proxy-)?authorization|(?:set-)?cookie)(["']?\s*[:=,]\s*["']?)[^"'\r\n]+/gi, `$1$2${REDACTED}`],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${REDACTED}`],
  // `token=…`, `"token": "…"`, `--token …`, `OPENCLAW_GATEWAY_TOKEN: …`, quoted or up to the next gap
  [new RegExp(`((?:${NAMES})["']?\\s*[:=]\\s*)"(?:[^"\\\\]|\\\\.)*"`, "gi"), `$1"${REDACTED}"`],
  [new RegExp(`((?:${NAMES})["']?\\s*[:=]\\s*)'(?:[^'\\\\]|\\\\.)*'`, "gi"), `$1'${REDACTED}'`],
  [new RegExp(`((?:${NAMES})["']?\\s*[:=]\\s*)(?!\\[redacted\\])[^\\s"'&,;}\\]]+`, "gi"), `$1${REDACTED}`],
  [new RegExp(`(--[\\w-]*(?:${NAMES})\\s+)[^\\s"']+`, "gi"), `$1${REDACTED}`],
  [/(\w:\/\/)[^/@\s"']+@/g, `$1${REDACTED}@`],
  // tokens that are known by their shape: JWT, OpenAI and Anthropic, GitHub, Slack, AWS
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, REDACTED],
  [/\b(?:sk|pk|rk)-[\w-]{16,}|\bgh[pousr]_\w{20,}|\bxox[abeoprs]-[\w-]{10,}|\bAKIA[A-Z0-9]{16}\b/g, REDACTED],
];

/** A text without what looks like a secret, and without those that are known. */
export function withoutSecrets(text: string, known: readonly string[] = []): string {
  let clean = text;
  for (const secret of known) {
    if (secret.length >= MIN_KNOWN) clean = clean.replaceAll(secret, REDACTED);
  }
  for (const [pattern, replacement] of PATTERNS) clean = clean.replace(pattern, replacement);
  return clean;
}
