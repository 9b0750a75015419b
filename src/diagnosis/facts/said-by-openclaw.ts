import type { TextRule } from "./text.ts";

/** OpenClaw's own messages over the years; clawdbot and moltbot were its names before. */
export const saidByOpenClaw: readonly TextRule[] = [
  {
    id: "about-gateway",
    pattern:
      /openclaw|clawdbot|moltbot|clawkit|\b18789\b|(?<!bad |api |default |nat |payment )\bgateway\b(?! (time-?out|\())/i,
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
    id: "config-broken-told",
    pattern:
      /(invalid|unrecogni[sz]ed|unknown|malformed) (config(uration)?|openclaw\.json)( path| key| file)?\b|(invalid|unrecogni[sz]ed|unknown) (configuration )?key|old config path|config (validation|schema) (failed|error)/i,
  },
  {
    id: "crash-loop-told",
    pattern:
      /crash(es|ed|ing)?[ -]?loop|restart(s|ed)? (loop|continuously|repeatedly|attempts)|infinite restart|\d{2,} restarts?|fails? to start|won't start|crashes (immediately|on (start|restart))/i,
  },
  { id: "start-blocked-said", pattern: /Gateway start blocked|existing config is missing gateway\.mode/i },
  { id: "origins-required-said", pattern: /requires gateway\.controlUi\.allowedOrigins/i },
  { id: "bind-refused-said", pattern: /refusing to bind (the )?gateway\b.* without auth/i },
  { id: "redacted-written", pattern: /__OPENCLAW_REDACTED__/ },
  { id: "config-restored-said", pattern: /auto-restored from last-known-good|\.clobbered\b/i },
  {
    id: "doctor-fix-harmed",
    pattern:
      /doctor --(fix|repair)[^\n]{0,80}\b(writes|wrote|removes?|removed|deletes?|deleted|reverts?|reverted|shut|stopped|stops|created|wipes?|wiped|overwr)|silently reverted/i,
  },
  {
    id: "reload-restart-said",
    pattern:
      /config change requires gateway restart|SIGTERM restart triggered by \S+ change|\[reload\] restart timeout/i,
  },
  { id: "reload-seen-said", pattern: /config change detected; evaluating reload|config hot reload applied/i },
  {
    id: "config-written-told",
    pattern: /(rewrit|writes?|wrote|self-update|updates?)\w*[^\n]{0,80}openclaw\.json|config (patch|set)\b/i,
  },
  { id: "restart-signal-said", pattern: /received SIGUSR1; restarting|SIGUSR1/ },
  { id: "full-restart-said", pattern: /full process restart/i },
  { id: "sigterm-said", pattern: /signal SIGTERM received|received SIGTERM; shutting down/ },
  {
    id: "uncaught-said",
    pattern:
      /Uncaught exception|unhandled (promise )?rejection|UnhandledPromiseRejection|\buncaught [A-Z]\w+|Max reconnect attempts \(\d+\) reached|CIAO (PROBING|ANNOUNCEMENT) CANCELLED|Fatal Gateway error: \d+/i,
  },
  {
    id: "uncaught-told",
    pattern:
      /CIAO|bonjour[^\n]{0,60}(stuck|error|prob)|process\.exit\(1\)|crash\w*[^\n]{0,60}\b(fetch|rejection|exception)/i,
  },
  {
    id: "port-taken-said",
    pattern:
      /EADDRINUSE|address already in use|port \d+ (is )?already in use|another gateway instance is already listening|Another process is listening on this port|leaving it in control/i,
  },
  {
    id: "port-taken-told",
    pattern:
      /(hold(s|ing)?|occup(y|ies|ied|ying)|conflict\w*|fight\w*|listen) (on |for )?(the )?(same )?port\b|port conflict|on the same port|same port 18789|existing (\(?foreground\)? )?gateway on \d+|second gateway (process|instance)/i,
  },
  {
    id: "lock-held-said",
    pattern:
      /gateway already running \(pid|Another gateway \(pid \d+\) already owns|GatewayLockError|lock timeout after \d+ ?ms/i,
  },
  { id: "lock-pid-small", pattern: /already running \(pid [1-9]\d?\)|PID is always \d+\b|low PID/i },
  {
    id: "lock-stale-told",
    pattern:
      /stale lock|lock (file )?(that )?belongs to a different|same PID|PIDs? (are|is|get) (recycled|reused|re-used)|\.lock\b[^\n]{0,60}(stale|PID)/i,
  },
  {
    id: "starting-said",
    pattern:
      /\[gateway\] starting\b|"?gateway starting"?|staging bundled runtime deps|runtime[ -]deps (staging|mirror)|failed to stage|gateway is (still )?(starting|booting|warming)|startup-sidecars/i,
  },
  {
    id: "starting-told",
    pattern:
      /before (the )?gateway is ready|silence before "?ready|minutes? (post|after)-?(re)?start|slow (boot|startup|start)|cold start/i,
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
    id: "loop-blocked-told",
    pattern:
      /event[- ]loop[^\n]{0,30}(block|stall|starv|delay|satur|utili)|loop is (stalled|blocked)|blocks? the (Node(\.js)? )?event loop|high eventLoopDelay/i,
  },
  {
    id: "cpu-burning",
    pattern: /\b(9\d|1\d\d)(\.\d+)? ?% ?CPU|CPU (around|at|stays at|of)? ?~?(9\d|1\d\d)|thread at ~?9\d/i,
  },
  {
    id: "pairing-said",
    pattern:
      /pairing required|\b1008\b[^\n]{0,40}(pairing|policy|unauthori|token)|device (token|identity|signature) (mismatch|required|invalid)|token (mismatch|missing)|unauthorized: |gateway password (mismatch|missing)/i,
  },
  { id: "closed-1008-said", pattern: /\(1008\b|code=1008/ },
  { id: "protocol-mismatch-said", pattern: /\bprotocol mismatch\b|expectedProtocol|invalid connect params/i },
  { id: "payload-said", pattern: /Max payload size exceeded|\b(code=|\()1009\b|payload too large/i },
  { id: "closed-1001-said", pattern: /\b(code=|\(|code )1001\b/ },
  { id: "closed-1006-said", pattern: /(?<!\d)1006(?!\d)/ },
  { id: "closed-1013-said", pattern: /(?<!\d)1013(?!\d)[^\n]{0,40}gateway starting|code=1013/ },
  { id: "not-reachable-said", pattern: /Gateway not reachable at|Reachable: no\b|Gateway not running/i },
  { id: "rpc-ok-said", pattern: /RPC probe: ok|rpc\.ok=true|require-rpc`? succeeds|\breachable \d+ ?ms/i },
  {
    id: "probe-failed-said",
    pattern: /(probe|status)[^\n]{0,60}(fail|unreachable|time ?d? ?out|misreport)|Capability: unknown/i,
  },
  { id: "probe-scope-said", pattern: /missing scope: operator\.read/i },
  { id: "service-not-loaded-said", pattern: /Gateway service not loaded|installed · not loaded/i },
  {
    id: "service-not-installed-said",
    pattern:
      /Gateway service (is )?not installed|service install failed|Task script not found|gateway\.cmd missing/i,
  },
  { id: "node-only-said", pattern: /machine is a node\b|node-only/i },
  {
    id: "entrypoint-mismatch-said",
    pattern:
      /Managed Gateway service: \S+|binary is older than the config|service (uses|points at|entry)[^\n]{0,60}(old|stale|nvm)/i,
  },
  { id: "two-node-versions", pattern: /node\/v(\d+\.\d+\.\d+)[\s\S]{0,200}node\/v(?!\1)\d+\.\d+\.\d+/ },
  {
    id: "stale-entry-told",
    pattern:
      /stale (extension|unit|service|entry|path|wrapper|peer)|Node (version )?upgrade leaves|old nvm path/i,
  },
  {
    id: "old-process-told",
    pattern:
      /(keeping|with) an old process|old (gateway )?process (still )?(alive|running)|replacing its dist|running gateway[^\n]{0,40}older|after package update/i,
  },
  {
    id: "other-url-told",
    pattern:
      /instead of (the )?(\S+ )?(gateway's? )?(gateway\.port |port )?\d{4,5}|instead of the profile|(probes|tries|connects to) ws:\/\/\S+[^\n]{0,40}instead|listens? on port 18789$|:18789\/? — Connection refused/im,
  },
  { id: "url-variable-said", pattern: /OPENCLAW_GATEWAY_URL/ },
  {
    id: "proxy-capture-said",
    pattern:
      /routing process HTTP traffic through external proxy|\b(HTTPS?|ALL)_PROXY=|proxy[^\n]{0,40}captur/i,
  },
  { id: "timing-gap-said", pattern: /host timing gap detected|process was frozen/i },
  { id: "stay-alive-said", pattern: /Process will stay alive|startup failed[^\n]{0,80}stay alive/i },
  {
    id: "agent-restarted-told",
    pattern: /agent[^\n]{0,40}(ran|runs|executed|calls?)[^\n]{0,30}gateway (restart|stop)/i,
  },
  {
    id: "burst-told",
    pattern:
      /\d+ (of \d+ )?parallel|concurrent (tool )?calls|parallel (tool )?calls|connection burst|pre-auth(enticated)? (sockets|connections)/i,
  },
  {
    id: "no-keepalive-told",
    pattern:
      /half-open|no (websocket )?(ping|heartbeat|keepalive|keep-alive)|without (ping|keepalive)|idle (drop|disconnect|timeout)|No WebSocket ping/i,
  },
  {
    id: "restart-not-back-told",
    pattern:
      /(never (comes|came) back|does not come back|did not restart|never (issues|relaunch)|not relaunched|stops? entirely without recovering|stuck at 0\/1|task stays Complete)|restart[^\n]{0,30}(kills|returns success)/i,
  },
];
