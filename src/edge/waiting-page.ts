import type http from "node:http";

/** It has no script and loads nothing; frames of other sites have no business with it. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/** What a browser shows until the gateway is back: it reloads itself, without a script. */
export function sendWaitingPage(
  response: http.ServerResponse,
  { reason, retryAfterSec }: { reason: string; retryAfterSec: number },
): void {
  response.writeHead(503, {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
  });
  response.end(page(escaped(reason), retryAfterSec));
}

/** The same bytes as long as the same is true, so that nothing moves when it is loaded again. */
function page(reason: string, retryAfterSec: number): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="${retryAfterSec}">
<title>The gateway is away</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; margin: 4rem auto; max-width: 40rem; padding: 0 1rem }
</style>
</head>
<body>
<h1>The gateway is away</h1>
<p>${reason}.</p>
<p>This page looks again every ${retryAfterSec} seconds and goes on by itself. On the gateway's machine,
<code>clawkit why</code> says what happened.</p>
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
