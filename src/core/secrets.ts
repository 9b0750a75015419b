import { randomBytes } from "node:crypto";

/** What stands in place of a secret. It is no valid secret, so writing it back would be refused. */
export const REDACTED = "[redacted]";

/** A secret shorter than this would redact ordinary words. */
const MIN_KNOWN = 6;

const NAMES = "token|password|passwd|secret|api[-_]?key|access[-_]?key|private[-_]?key|signature|credential";

const OPTION = `--(?:[a-z]{1,20}-){0,4}(?:${NAMES})`;

/** The mark of an item of a YAML list, and that of a line of a diff. */
const ITEM = "(?:[-+]\\s+){0,3}";

const GAP = `(?:\\s*,\\s*|\\s+)${ITEM}`;

const PATTERNS: readonly [pattern: RegExp, replacement: string][] = [
  // headers: everything up to the end of the line, or of the string they are quoted in
  [
    /\b((?:proxy-)?authorization|(?:set-)?cookie)(["']?\s*[:=,]\s*["']?)(?:=\s*"[^"\r\n]*"|[^"'\r\n])+/gi,
    `$1$2${REDACTED}`,
  ],
  [/\b([Bb]earer|BEARER|[Bb]asic|BASIC)\s+(?=\S{0,200}[A-Z0-9=])[\w.~+/=-]{6,}/g, `$1 ${REDACTED}`],
  // JSON in JSON: `\"token\":\"…\"`
  [new RegExp(`((?:${NAMES})(\\\\+)"\\s*:\\s*\\2")[^"\\\\]*`, "gi"), `$1${REDACTED}`],
  // `token=…`, `"token": "…"`, `OPENCLAW_GATEWAY_TOKEN: …`, quoted or up to the next gap
  [new RegExp(`((?:${NAMES})["']?\\s*[:=]\\s*)"(?:[^"\\\\]|\\\\.)*"`, "gi"), `$1"${REDACTED}"`],
  [new RegExp(`((?:${NAMES})["']?\\s*[:=]\\s*)'(?:[^'\\\\]|\\\\.)*'`, "gi"), `$1'${REDACTED}'`],
  [new RegExp(`((?:${NAMES})"\\s*:\\s*)-?\\d[\\d.eE+-]*`, "gi"), `$1"${REDACTED}"`],
  [
    new RegExp(
      `((?:${NAMES})["']?\\s*[:=]\\s*)(?!\\[|\\{|null\\b|true\\b|false\\b)[^\\s"'\\\\&,;}\\]]+`,
      "gi",
    ),
    `$1${REDACTED}`,
  ],
  // `--token …`, `--gateway-token …`; as items of a list: `"--token", "…"`, `[run, --token, …]`, `- --token` above `- …`
  [
    new RegExp(`(${OPTION}\\\\{0,3}["']?${GAP}\\\\{0,3}(["']))(?:(?!\\2)[^\\\\\\r\\n])*`, "gi"),
    `$1${REDACTED}`,
  ],
  [new RegExp(`(${OPTION}["']?\\s+${ITEM})(?![-+]\\s)[^\\s"'\\\\][^\\s"']*`, "gi"), `$1${REDACTED}`],
  [new RegExp(`(${OPTION}["']?\\s*,\\s*)(?!--|\\[)[^\\s"',\\]]+(?=\\s*[,\\]])`, "gi"), `$1${REDACTED}`],
  // variables that are keys by their last word: `OPENAI_KEY: …`
  [/\b([A-Z][A-Z0-9_]{0,60}_(?:KEY|PAT|PASS)\b["']?\s*[:=]\s*["']?)(?!\[)[^\s"'\\,;}\]]+/g, `$1${REDACTED}`],
  [/(\w:\/\/)[^/@\s"']{1,500}@/g, `$1${REDACTED}@`],
  // tokens that are known by their shape: JWT, OpenAI and Anthropic, GitHub, Slack, AWS
  [/\beyJ[\w-]{8,1000}\.[\w-]{8,4000}\.[\w-]*/g, REDACTED],
  [/\b(?:sk|pk|rk)-[\w-]{16,}|\bgh[pousr]_\w{20,}|\bxox[abeoprs]-[\w-]{10,}|\bAKIA[A-Z0-9]{16}\b/g, REDACTED],
];

/** A token or password that nobody guesses: 256 bits. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** A text without what looks like a secret, and without those that are known. */
export function withoutSecrets(text: string, known: readonly string[] = []): string {
  let clean = text;
  for (const secret of known) {
    if (secret.length >= MIN_KNOWN) clean = clean.replaceAll(secret, REDACTED);
  }
  for (const [pattern, replacement] of PATTERNS) clean = clean.replace(pattern, replacement);
  return clean;
}

const SECRET_NAME = new RegExp(`^(${NAMES}|authorization|cookie)$`, "i");

/** A copy of a value with every string in it cleaned: cleaning its JSON would cut escapes in two. */
export function withoutSecretsIn<T>(value: T, known: readonly string[] = []): T {
  const clean = (inner: unknown, name = ""): unknown => {
    if (typeof inner === "string") return SECRET_NAME.test(name) ? REDACTED : withoutSecrets(inner, known);
    if (Array.isArray(inner)) return inner.map((one) => clean(one));
    if (typeof inner !== "object" || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, one]) => [key, clean(one, key)]));
  };
  return clean(value) as T;
}

/** The name of a user is nobody's business in a bug report; in JSON, a backslash of a path stands twice. */
export function withoutHome(text: string, home: string): string {
  if (home.length <= 1) return text;
  return text.replaceAll(home, "~").replaceAll(home.replaceAll("\\", "\\\\"), "~");
}
