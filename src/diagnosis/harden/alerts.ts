import type { Advice, Own } from "./types.ts";

/** Where to is for a person to say. */
export function alertsAdvice({ config: { alerts } }: Own): Advice {
  const receivers = alerts.webhooks.length + (alerts.heartbeat.url === undefined ? 0 : 1);
  return {
    id: "alerts",
    title: "Somebody is told when it goes down",
    reason: "outages of five to eight hours went unnoticed (#53684, #12768)",
    current: `${receivers} receivers`,
    state: receivers > 0 ? "ok" : "yours",
    command: 'clawkit config set alerts.webhooks \'[{ url: "https://ntfy.sh/your-topic", format: "ntfy" }]\'',
  };
}
