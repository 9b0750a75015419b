import { REDACTED, withoutSecrets } from "../core/secrets.ts";
import type { Config } from "./schema.ts";

export { REDACTED };

/** Keys whose values are secrets, at any depth. */
const SECRET = /^(token|password|secret)$/i;

/** A copy of a config value with every secret replaced. */
export function redact(value: unknown): unknown {
  if (typeof value === "string") return withoutSecrets(value);
  if (Array.isArray(value)) return value.map(redact);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      SECRET.test(key) && inner !== undefined
        ? REDACTED
        : key === "alerts"
          ? redactUrls(inner)
          : redact(inner),
    ]),
  );
}

/** Who knows the URL of a webhook can send to it: what follows its host is the secret. */
function redactUrls(value: unknown): unknown {
  if (typeof value === "string") return URL.canParse(value) ? `${new URL(value).origin}/${REDACTED}` : value;
  if (Array.isArray(value)) return value.map(redactUrls);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactUrls(inner)]));
}

/** The secrets of a config, to be kept out of whatever is written down. */
export function secretsOf(config: Config): string[] {
  const { auth } = config.gateway;
  const urls = [...config.alerts.webhooks.map(({ url }) => url), config.alerts.heartbeat.url];
  return [auth.token, auth.password, ...urls].filter((secret) => secret !== undefined);
}
