import type { TextRule } from "./text.ts";

/** OpenClaw's own messages over the years; clawdbot and moltbot were its names before. */
export const saidByOpenClaw: readonly TextRule[] = [
  {
    // other programs have gateways too: only names and messages that nobody else has
    id: "about-gateway",
    pattern:
      /openclaw|clawdbot|moltbot|clawkit|\b18789\b|\[gateway\] (signal|received) SIG|\[gateway\] (starting|ready|listening on ws|restart mode)|gateway closed \(1\d{3}|gateway connect failed: |Gateway target: ws|Gateway start blocked|Gateway not reachable at ws|Gateway(Lock|Transport|ClientRequest)Error|gateway\.(controlUi|mode=local)\b|scope: operator\.read|\[ws\] webchat|host timing gap detected/i,
  },
  {
    id: "config-invalid-said",
    pattern:
      /\bInvalid config at\b|OpenClaw config is invalid|^\W*Config invalid\b|\binvalid config: |doctor-invalid-config|Missing config\. Run/im,
  },
  {
    id: "config-key-said",
    pattern:
      /Unrecognized key|^\W*[a-z]\w+(\.[\w-]+)+\S*: (Invalid input|Expected|must (have|be|NOT))|plugin not found: /im,
  },
  {
    id: "start-blocked-said",
    pattern:
      /Gateway start blocked|gateway\.mode is (missing|unset|not set)|existing config is missing gateway\.mode/i,
  },
  { id: "origins-required-said", pattern: /requires gateway\.controlUi\.allowedOrigins/i },
  {
    id: "bind-refused-said",
    pattern:
      /refusing to bind (the )?gateway\b.* without auth|tailscale (serve\/)?(funnel|serve)( mode)? requires/i,
  },
  { id: "config-restored-said", pattern: /auto-restored from last-known-good|\.clobbered\b/i },
  {
    id: "reload-restart-said",
    pattern:
      /config change requir(es|ing) (a )?(gateway )?restart|gateway\.reload\.mode|SIGTERM restart triggered by \S+ change|\[reload\] restart timeout/i,
  },
  { id: "reload-seen-said", pattern: /config change detected; evaluating reload|config hot reload applied/i },
  { id: "restart-signal-said", pattern: /received SIGUSR1; restarting|SIGUSR1/ },
  { id: "full-restart-said", pattern: /full process restart/i },
  { id: "sigterm-said", pattern: /signal SIGTERM received|received SIGTERM; shutting down/ },
  {
    id: "uncaught-said",
    pattern:
      /Uncaught exception|unhandled (promise )?rejection|UnhandledPromiseRejection|\buncaught [A-Z]\w+|Max reconnect attempts \(\d+\) reached|CIAO (PROBING|ANNOUNCEMENT) CANCELLED|uncaught_exception|unhandled_rejection|Fatal Gateway error: \d+/i,
  },
  {
    id: "port-taken-said",
    pattern:
      /EADDRINUSE|address already in use|port \d+ (is )?already in use|another gateway instance is already listening|Another process is listening on this port|leaving it in control/i,
  },
  {
    id: "lock-held-said",
    pattern:
      /gateway already running \(pid|Another gateway \(pid \d+\) already owns|GatewayLockError|lock timeout after \d+ ?ms/i,
  },
  {
    id: "starting-said",
    pattern:
      /\[gateway\] starting\b|"?gateway starting"?|staging bundled runtime deps|runtime[ -]deps (staging|mirror)|failed to stage|gateway is (still )?(starting|booting|warming)|startup-sidecars/i,
  },
  {
    id: "handshake-timeout-said",
    pattern: /cause=handshake-timeout|\bhandshake timeout\b|handshake timer expires/i,
  },
  { id: "closed-1000-said", pattern: /gateway closed \(1000\b/ },
  {
    id: "loop-delay-said",
    pattern:
      /liveness warning: reasons=\S*event_loop|eventLoop(Delay|Utilization)\w*\W+[\d.]+|"eventLoop":\{"degraded":true|event-loop starvation|reasons":\["event_loop/i,
  },
  {
    id: "pairing-said",
    pattern:
      /pairing required|\b1008\b[^\n]{0,40}(pairing|policy|unauthori|token)|device[ _](token|identity|signature)[ _](mismatch|required|invalid|verification failed)|token[ _](mismatch|missing)|unauthorized: |gateway password (mismatch|missing)|not-paired|pairing-required|control ui requires (https|device|secure)|\b1008\): /i,
  },
  { id: "closed-1008-said", pattern: /\(1008\b|code=1008/ },
  {
    id: "protocol-mismatch-said",
    pattern: /\bprotocol[ -]mismatch\b|expectedProtocol|maxProtocol|invalid connect params/i,
  },
  { id: "payload-said", pattern: /Max payload size exceeded|\b(code=|\()1009\b|payload too large/i },
  { id: "closed-1001-said", pattern: /\b(code=|\(|code )1001\b/ },
  { id: "closed-1013-said", pattern: /(?<!\d)1013(?!\d)[^\n]{0,40}gateway starting|code=1013/ },
  { id: "not-reachable-said", pattern: /Gateway not reachable at|Reachable: no\b|Gateway not running/i },
  { id: "rpc-ok-said", pattern: /RPC probe:? ok|rpc\.ok=true|require-rpc`? succeeds|\breachable \d+ ?ms/i },
  {
    id: "probe-failed-said",
    pattern: /(probe|status)[^\n]{0,60}(fail|unreachable|time ?d? ?out|misreport)|Capability: unknown/i,
  },
  { id: "probe-scope-said", pattern: /missing scope: operator\.read/i },
  { id: "service-not-loaded-said", pattern: /Gateway service not loaded|installed · not loaded/i },
  {
    id: "service-not-installed-said",
    pattern:
      /Gateway service (is )?not installed|service install failed|Task script not found|gateway\.cmd (missing|not found|缺失)/i,
  },
  {
    id: "entrypoint-mismatch-said",
    pattern:
      /Managed Gateway service: \S+|binary is older than the config|service (uses|points at|entry)[^\n]{0,60}(old|stale|nvm)/i,
  },
  { id: "url-variable-said", pattern: /OPENCLAW_GATEWAY_URL/ },
  {
    id: "proxy-capture-said",
    pattern:
      /routing process HTTP traffic through external proxy|\b(HTTPS?|ALL)_PROXY=|proxy[^\n]{0,40}captur/i,
  },
  { id: "timing-gap-said", pattern: /host timing gap detected|process was frozen/i },
  { id: "stay-alive-said", pattern: /Process will stay alive|startup failed[^\n]{0,80}stay alive/i },
];
