import type { TextRule } from "./text.ts";

const rules: readonly TextRule[] = [
  {
    id: "wsl-host-told",
    pattern:
      /Windows[- ](side|host|browser)|127\.0\.0\.1 points to Windows|(from|on) Windows\b[^\n]{0,40}(cannot|can't|unable|not reach|fails)|from Windows|portproxy|localhost ?forwarding|mirrored/i,
  },
  {
    id: "stopped-before-told",
    pattern: /gateway stop\b[\s\S]{0,200}(?<!\d)1006(?!\d)|gateway stop\b[\s\S]{0,200}ECONNREFUSED/i,
  },
  // ws and Node: the socket failed before there was a connection (measured with ws 8.19)
  { id: "stack-connect-failed", pattern: /socketErrorListener \(node:_http_client/ },
  { id: "modules-missing-told", pattern: /missing[ -](\w+ )?(module|chunk|dist file)s?\b|MODULE_NOT_FOUND/i },
  { id: "version-manager-told", pattern: /\b(nvm|fnm|volta|asdf|mise)\b|linuxbrew/i },
  { id: "ssh-named-told", pattern: /\bSSH\b/i, isPlace: true },
  { id: "task-named-told", pattern: /Scheduled Task|schtasks|Task Scheduler|计划任务|gateway\.(cmd|vbs)\b/i },
  { id: "launchd-named-told", pattern: /launchd|LaunchAgent|launchctl|ai\.openclaw\.gateway|\.plist\b/i },
  {
    id: "session-ends-told",
    pattern:
      /(SSH|terminal|user|login)( session| window)?[^\n]{0,40}\b(disconnects?|closes?|closed|logs? out|ends|stops)\b|(on|after|at) log-?out|(stop|end)s? the user session|user@\d+\.service: /i,
  },
  {
    id: "from-host-told",
    pattern:
      /from (the |my )?(host|outside|macbook|VPS)\b|outside (of )?(the )?container|docker run[^\n]*-p |curl (-\S+ )*(http:\/\/)?(localhost|127\.0\.0\.1)|bind=lan|Traefik|port[- ](forward|mapp)|宿主机|端口映射/i,
  },
  {
    id: "inside-works-told",
    pattern:
      /(from |works? )?inside (of )?(the |docker )?container|docker exec|within the container|容器(内|中)/i,
  },
  {
    id: "binds-loopback-told",
    pattern:
      /\b(bind(s|ing)?|bound|listen(s|ing)?)( only| exclusively)? (to|on) (ws:\/\/)?(127\.0\.0\.1|loopback|localhost)|绑定到 ?127/i,
  },
  {
    id: "proxy-named",
    pattern:
      /reverse[- ]proxy|\bnginx\b|\btraefik\b|\bcaddy\b|haproxy|tailscale[ .](serve|funnel|mode)|ingress|cloudflare|oauth2-proxy|(hosted )?app proxy|\bapache\b|load balancer|反向代理/i,
  },
  {
    id: "direct-works-told",
    pattern:
      /(direct|IP|locally|loopback)[^\n]{0,40}works|works (locally|directly|at http:\/\/127)|working locally|HTTP requests work|HTTPS dashboard works|HTTP works|tunnel works/i,
  },
  {
    id: "socket-fails-told",
    pattern:
      /(websocket|wss?:\/\/|upgrade)[^\n]{0,60}(fails?|failed|error|drops?|dropped|cannot|never|refused|closed)\b/i,
  },
  { id: "idle-cut-told", pattern: /drops? idle|idle[- ]drop|after ~?\d+ ?s(econds)?\b/i },
  {
    id: "proxy-loopback-told",
    pattern:
      /(proxy|VPN|TUN)[^\n]{0,80}(intercept|captur|rout|block)\w*[^\n]{0,60}(loopback|localhost|127\.0\.0\.1)|(loopback|localhost|127\.0\.0\.1)[^\n]{0,60}(through|to|via) (the|an|a) (\w+ )?proxy/i,
  },
  {
    id: "proxy-intercepts-told",
    pattern:
      /(proxy|VPN|firewall)[^\n]{0,60}(intercept|captur|block|den(y|ies))\w*|(no_proxy|HTTPS?_PROXY|ALL_PROXY)\b/i,
  },
  {
    id: "sleep-told",
    pattern:
      /sleep\/(wake|resume)|(after|from|during) (the |every |each |a )?(\w+ )?(sleep|wak(e|ing))\b|(goes|went) to sleep|Maintenance Sleep|Power Nap|suspend|hibernat|休眠|睡眠/i,
  },
  {
    id: "unkillable-told",
    pattern:
      /unkillable|SIGTERM (is )?(queued|ignored)|ignores SIGTERM|TimeoutStopSec=\d+ elapses|\bwedged\b|stays? in (D|Ssl) state|uninterruptible/i,
  },
  {
    id: "tls-scheme-told",
    pattern: /gateway\.tls[\s\S]{0,200}\bws:\/\/|\bws:\/\/[\s\S]{0,200}gateway\.tls/i,
  },
  {
    id: "tls-told",
    pattern: /gateway\.tls|tls[^\n]{0,20}(enabled|mismatch)|self-signed|wss:\/\/|certificate/i,
  },
  {
    id: "updated-told",
    pattern:
      /after (an? |the |openclaw |running |every )*(update|upgrad|roll)\w*|(upgrad|updat|roll)\w* (back )?(\w+ )?(from|to) v?20\d\d|since upgrad|20\d\d\.\d+\.\d+\S* ?(->|→|to) ?v?20\d\d|openclaw update\b/i,
  },
];

/** Where it happened, in the words of people: services, sessions, containers, proxies, networks, installations. */
export const saidOfSurroundings: readonly TextRule[] = rules.map((rule) => ({ ...rule, isTold: true }));
