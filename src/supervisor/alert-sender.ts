import type { Config } from "../config/schema.ts";
import type { IncidentNews } from "../core/messages.ts";

export type Webhook = Config["alerts"]["webhooks"][number];

/** One message to the outside world. */
export interface Alert {
  readonly event: "incident-opened" | "incident-closed" | "test";
  readonly title: string;
  readonly text: string;
  readonly incident: IncidentNews | null;
}

/** A receiver that takes longer is as good as away. */
const ANSWER_MS = 10_000;

/** The receiver's answer, or why there was none. */
export type Delivery =
  | { readonly kind: "delivered"; readonly status: number }
  /** `isFinal`: it was understood and refused, so sending it again would not help. */
  | { readonly kind: "failed"; readonly reason: string; readonly isFinal: boolean };

/** Sends an alert once. Never rejects; its URL, which is a secret, stands in no result. */
export async function sendAlert(
  webhook: Webhook,
  alert: Alert,
  { fetch: fetcher, signal }: { readonly fetch: typeof fetch; readonly signal?: AbortSignal },
): Promise<Delivery> {
  try {
    const response = await fetcher(webhook.url, {
      method: "POST",
      // a redirect would carry the message to a place that nobody configured
      redirect: "error",
      ...bodyFor(webhook.format ?? "json", alert),
      signal: AbortSignal.any([AbortSignal.timeout(ANSWER_MS), ...(signal === undefined ? [] : [signal])]),
    });
    await response.body?.cancel();
    if (response.ok) return { kind: "delivered", status: response.status };
    const isFinal = response.status < 500 && response.status !== 429 && response.status !== 408;
    return { kind: "failed", reason: `HTTP ${response.status}`, isFinal };
  } catch (error) {
    return { kind: "failed", reason: reasonOf(error), isFinal: false };
  }
}

function bodyFor(
  format: NonNullable<Webhook["format"]>,
  alert: Alert,
): { body: string; headers: Record<string, string> } {
  switch (format) {
    case "json":
      return {
        body: JSON.stringify({ source: "clawkit", ...alert }),
        headers: { "Content-Type": "application/json" },
      };
    case "slack":
      return {
        body: JSON.stringify({ text: `*${forSlack(alert.title)}*\n${forSlack(alert.text)}` }),
        headers: { "Content-Type": "application/json" },
      };
    case "ntfy":
      return {
        body: alert.text,
        headers: {
          // header bytes are Latin-1; ntfy reads RFC 2047
          Title: `=?UTF-8?B?${Buffer.from(alert.title).toString("base64")}?=`,
          Priority: alert.event === "incident-opened" ? "high" : "default",
          Tags: alert.event === "incident-opened" ? "rotating_light" : "white_check_mark",
        },
      };
  }
}

/** Slack reads `<…>` as a link or a mention. */
function forSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** The system's own code: the message of a failed fetch may hold the URL. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "it failed";
  if (error.name === "TimeoutError") return `no answer within ${ANSWER_MS / 1000} s`;
  const code = (error.cause as { code?: string } | undefined)?.code;
  return code ?? error.name;
}
