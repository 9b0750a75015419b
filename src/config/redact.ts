/** Keys whose values are secrets, at any depth. */
const SECRET = /^(token|password|secret)$/i;

/** What stands in place of a secret. It is no valid secret, so writing it back would be refused. */
export const REDACTED = "[redacted]";

/** A copy of a config value with every secret replaced. */
export function redact(value: unknown): unknown {
  if (typeof value === "string") return withoutUrlSecrets(value);
  if (Array.isArray(value)) return value.map(redact);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      SECRET.test(key) && inner !== undefined ? REDACTED : redact(inner),
    ]),
  );
}

/** User, password and token of a URL. */
function withoutUrlSecrets(text: string): string {
  return text
    .replace(/(\w:\/\/)[^/@\s]+@/g, `$1${REDACTED}@`)
    .replace(/([?&](?:token|password|secret|key|access_token)=)[^&#\s]+/gi, `$1${REDACTED}`);
}
