import { join } from "node:path";
import type { TestContext } from "node:test";
import { ROOT, until } from "./clawkit.ts";
import { startGateway, TOKEN } from "./gateway-rig.ts";
import type { RawGatewayClient } from "./raw-gateway-client.ts";

/** A module with every trouble that one can have. */
export const TROUBLES = join(ROOT, "test/fixtures/modules/troubles.ts");

/** The module has answered: what is measured is not its start. */
export async function withTroubles(t: TestContext) {
  const rig = await startGateway(t, { settings: { modules: [TROUBLES] } });
  using client = rig.open();
  await client.connect({ auth: { token: TOKEN } });
  await untilBack(client);
  return rig;
}

/** Asks until the module is there again. */
export function untilBack(client: RawGatewayClient): Promise<boolean> {
  return until(async () => (await client.request("trouble.echo")).ok || undefined);
}

export function reasonOf(error: unknown): string | undefined {
  return (error as { details?: { reason?: string } }).details?.reason;
}
