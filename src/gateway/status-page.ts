import { VERSION } from "../core/version.ts";

export interface GatewayStatus {
  readonly port: number;
  readonly connections: number;
  readonly uptimeMs: number;
  readonly generation: number;
}

/** What a browser sees at `/`: no secrets, nothing that needs one. */
export function statusPage(facts: GatewayStatus): string {
  const minutes = Math.floor(facts.uptimeMs / 60_000);
  const rows = [
    ["State", "ready"],
    ["WebSocket", `ws://127.0.0.1:${facts.port}/`],
    ["Clients", String(facts.connections)],
    ["Up", minutes === 0 ? "less than a minute" : `${minutes} min`],
    ["Generation", `${facts.generation} (goes up with every restart)`],
    ["Version", VERSION],
  ];
  const cells = rows.map(([name, value]) => `<tr><th>${name}</th><td>${value}</td></tr>`).join("\n");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>ClawKit gateway</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 36rem; margin: 4rem auto; padding: 0 1rem; }
  th { text-align: left; padding-right: 2rem; font-weight: 600; }
  code { font-family: ui-monospace, monospace; }
</style>
<h1>ClawKit gateway</h1>
<table>${cells}</table>
<p>Console: <a href="/__clawkit__/">/__clawkit__/</a>, which <code>clawkit console</code> opens signed in.
Health: <a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>.
On the command line: <code>clawkit gateway status</code>, <code>clawkit logs --follow</code>.</p>
</html>
`;
}
