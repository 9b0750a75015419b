import { until } from "./clawkit.ts";
import { ask } from "./http.ts";
import type { ReferenceClient } from "./reference-client.ts";

/** What a client saw of an outage. */
export interface Outage {
  readonly closes: readonly { readonly code: number; readonly reason: string }[];
  readonly errors: readonly string[];
  /** From its beginning until the gateway said that it is ready, and from then until the client had its hello. */
  readonly awayMs: number;
  readonly lateMs: number;
}

const BACK_MS = 180_000;

/** Has a gateway go away, and come back; `begin` resolves when that has begun. */
export async function outageOf(
  client: ReferenceClient,
  port: number,
  begin: () => Promise<unknown>,
): Promise<Outage> {
  const { closes, hellos, connectErrors } = client;
  const [closed, greeted, failed] = [closes.length, hellos.length, connectErrors.length];
  const startedAt = performance.now();
  const began = begin();
  let helloAt: number | undefined;
  let wasAway = false;
  let readyAt: number | undefined;
  await until(async () => {
    if (hellos.length > greeted) helloAt ??= performance.now();
    const isReady = await isReadyAt(port);
    if (!isReady) {
      wasAway = true;
      readyAt = undefined;
    } else if (wasAway) readyAt ??= performance.now();
    return (helloAt !== undefined && readyAt !== undefined) || undefined;
  }, BACK_MS);
  await began;
  return {
    closes: closes.slice(closed),
    errors: connectErrors.slice(failed).map(({ message }) => message),
    awayMs: Math.round(readyAt! - startedAt),
    lateMs: Math.round(helloAt! - readyAt!),
  };
}

/** Its own word, which the edge passes on. */
async function isReadyAt(port: number): Promise<boolean> {
  const answer = await Promise.race([ask(port, "/readyz").catch(() => undefined), soon()]);
  return answer?.status === 200;
}

function soon(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, 500, undefined).unref());
}
