import { hostname } from "node:os";
import { ClawkitError } from "../../core/errors.ts";
import { type Alert, sendAlert } from "../../supervisor/alert-sender.ts";
import type { CliContext } from "../context.ts";
import { readConfig } from "../running.ts";

/** `clawkit alerts test`: one message to every webhook; exit 1 if one of them did not take it. */
export async function alertsTest(context: CliContext, options: { json?: boolean }): Promise<number> {
  const { webhooks } = (await readConfig(context)).alerts;
  if (webhooks.length === 0) {
    throw new ClawkitError(
      "USAGE",
      `Cannot send a test as alerts.webhooks is empty: ${context.name} config set alerts.webhooks '[{ url: "https://…", format: "slack" }]'`,
    );
  }
  const alert: Alert = {
    event: "test",
    title: "ClawKit test alert",
    text: `This is a test from ${hostname()}: alerts from ClawKit arrive here.`,
    incident: null,
  };
  const results = await Promise.all(
    webhooks.map(async (webhook) => ({
      host: new URL(webhook.url).host,
      format: webhook.format,
      ...(await sendAlert(webhook, alert, { fetch: context.fetch })),
    })),
  );
  if (options.json) context.out.json(results);
  else {
    for (const result of results) {
      const outcome =
        result.kind === "delivered" ? `delivered (HTTP ${result.status})` : `failed: ${result.reason}`;
      context.out.line(`${result.host} (${result.format}): ${outcome}`);
    }
  }
  return results.every(({ kind }) => kind === "delivered") ? 0 : 1;
}
