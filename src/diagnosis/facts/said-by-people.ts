import type { TextRule } from "./text.ts";

const rules: readonly TextRule[] = [
  {
    id: "config-broken-told",
    pattern:
      /(invalid|unrecogni[sz]ed|unknown|malformed|incomplete|unsupported|broken) (\w+ )?(config(uration)?|openclaw\.json|keys?|fields?|propert(y|ies)|values?)\b|config(uration)? (file |key )?(validation|schema|parse|parsing|syntax) (failed|fails|errors?|failure)|schema validation|\bzod\b|old config path|rejects? (the|my|its) config/i,
  },
  {
    id: "config-named-told",
    pattern:
      /(openclaw|clawdbot)\.json|config(uration)? (file|key|entry|option|value|path)s?\b|配置(文件|项)/i,
  },
  { id: "gateway-key-told", pattern: /gateway\.(mode|bind|auth|controlUi|customBindHost)\b|GATEWAY_BIND/i },
  {
    id: "folder-denied-told",
    pattern:
      /EACCES[^\n]{0,40}\b(open|mkdir|write|unlink|rename|scandir|copyfile)\b|permission denied[^\n]{0,60}\.(openclaw|clawdbot)|EROFS|read-only file system|权限不够/i,
  },
  {
    id: "config-written-told",
    pattern:
      /(rewrit|writes?|wrote|modif|edit|self-update|updates?)\w*[^\n]{0,80}(openclaw\.json|the config)|(openclaw\.json|config(uration)?)( file)? (is|was|gets?|being) (modified|changed|edited|rewritten|written|updated)|config[ .](patch|set|apply)\b|after (any |an? |every )?(config|auth|settings?)[\w/ ]{0,20} (change|edit|update)|modify(ing)? (the |my |any )?config|修改[^\n]{0,8}配置/i,
  },
  {
    id: "self-restart-told",
    pattern:
      /auto(matically)?[ -]restart|restarts? (itself|automatically)|(triggers?|causes?|sends itself)[^\n]{0,30}(restart|SIGTERM)|unexpected (gateway )?restart/i,
  },
  { id: "redacted-written", pattern: /__OPENCLAW_REDACTED__/ },
  {
    id: "doctor-fix-harmed",
    pattern:
      /doctor[`"']? --(fix|repair|non-interactive|yes)[^\n]{0,120}\b(writes|wrote|removes?|removed|deletes?|deleted|reverts?|reverted|shut|stopped|stops|created|wipes?|wiped|overwr\w+|corrupt(s|ed)|loses|lost|breaks|broke)\b|silently (reverted|reset|overwritten)/i,
  },
  {
    id: "crash-loop-told",
    pattern:
      /(crash|boot)(es|ed|ing)?[ -]?loop|restart(s|ed|ing)?[ -](loop|continuously|repeatedly|constantly|attempts)|(keeps?|constantly|repeatedly) (restart|crash)ing|infinite restart|\d{2,}\+? (restarts?|crashes|retry attempts)|(fails?|failed|refuses?|refused|unable) to (re)?start(?! CLI)|restart (storm|counter is at \d+)|every \d+ ?s\w* indefinitely|(won't|will not|cannot|can't|does not|doesn't|never) (start|boot|come up)s?\b|\bfails? (on|at) (re)?start\w*|crash(es|ed)?[^\n]{0,40}\b(immediately|on (re)?start(up)?|at startup|within \d+)|起不来|无法启动|启动[^\n]{0,4}失败|反复重启|不断(崩溃|重启)/i,
  },
  {
    id: "gateway-died-told",
    pattern:
      /\b(gateway|process|service|it)( process| service)?( \w+ly| just| then)? (crash(es|ed)?|dies|died|exits?|exited|vanish\w*|(is |gets |was )?(terminated|killed)|goes (down|offline|silent)|went (down|offline|silent)|stops|stopped)\b|gateway (is |was )?(down|offline|dead)\b|goes offline|崩溃|退出/i,
  },
  {
    id: "uncaught-told",
    pattern:
      /CIAO|bonjour[^\n]{0,60}(stuck|error|prob)|process\.exit\(1\)|(crash|exit|die|kill|terminat)\w*[^\n]{0,60}\b(fetch|rejection|exception|TypeError|EPIPE|ENETDOWN|EAI_AGAIN)\b|(unhandled|uncaught) (error|exception|rejection|promise|at the)/i,
  },
  {
    id: "port-taken-told",
    pattern:
      /(hold(s|ing)?|held|occup(y|ies|ied|ying)|conflict\w*|fight\w*|rac(e|ing)|owns?|listen) (\w+ ){0,3}(the )?(same |configured )?port\b|port (\d+ )?(is |was |remains |still |already )+(\w+ )?(in use|used|held|occupied|taken|busy)\b|port( \w+){0,2} (occupied|taken)\b|port conflict|on the same port|same port 18789|(existing|another|second|duplicate|foreground|manual|orphan\w*|zombie|stale) (\(?[\w/]+\)? )?(gateway|node|process|instance)[^\n]{0,60}(port|listen|own|18789)|existing[^\n]{0,20}gateway on \d+|second gateway|端口[^\n]{0,10}(占用|冲突)/i,
  },
  {
    id: "two-gateways-told",
    pattern:
      /\b(two|both|duplicate|competing|second)\b[^\n]{0,60}(gateway|launch|service|unit|manager|entr)\w*[^\n]{0,60}(fight|kill|conflict|rac(e|ing)|the same)|same (label|role)[ /](and )?port|\bcoexist/i,
  },
  { id: "lock-pid-small", pattern: /already running \(pid [1-9]\d?\)|PID is always \d+\b|low PID/i },
  {
    id: "lock-stale-told",
    pattern:
      /(stale|leftover|left[- ]over|orphaned) (gateway )?lock|lock files?\b[^\n]{0,60}(dead PID|left behind|persists?\b|survives?|belongs to a different)|\.lock\b[^\n]{0,60}(stale|PID)|PIDs? (are|is|get) (recycled|re-?used)|PID (re-?use|collision|namespace)|(lands? on|with|takes?) the same PID/i,
  },
  { id: "lock-named-told", pattern: /\block(s|file)?\b|\.lock\b|\block files?\b/i },
  {
    id: "starting-told",
    pattern:
      /before (the )?(gateway|startup) (is ready|finishes|completes|was ready)|silence before "?ready|minutes? (post|after)-?(re)?start|slow\w* (VM )?(boot|startup|start)|(startup|boot)\w* (legitimately |usually )?takes? |cold (start|boot)|takes? (\w+ )?~?\d+\+? ?(s|sec|seconds|min|minutes)\b[^\n]{0,30}(ready|start|boot|come up|available)|did not become healthy|waiting for gateway port \d+|Warm-up: launch agents|checked too early|启动(慢|时间)/i,
  },
  {
    id: "loop-blocked-told",
    pattern:
      /event[- ]?loop[^\n]{0,60}(block|stall|starv|delay|satur|utili|fr[eo]z|hang|unresponsive|wedg)|loop is (stalled|blocked)|(block|stall|starv|consum|hog)\w*[^\n]{0,40}(event[- ]?loop|main thread)|high eventLoopDelay|事件循环/i,
  },
  {
    id: "cpu-burning",
    pattern:
      /\b(9\d|[1-9]\d\d)(\.\d+)?\+? ?% ?CPU|CPU[ -]saturat|CPU (remains|stays) high|high CPU|CPU (usage )?(around|at|stays at|of)? ?~?(9\d|1\d\d)|thread at ~?9\d|(at|~|main thread) ?(9\d|1\d\d)(\.\d+)? ?%|(burn|peg|spin)\w*[^\n]{0,20}CPU/i,
  },
  {
    id: "stopped-answering-told",
    pattern:
      /unresponsive|not respond|stop(s|ped)? responding|no response|\bfr(ozen|eezes|oze)\b|\bhangs?\b|\bhung\b|超时|无响应|卡(死|住)/i,
  },
  {
    id: "slow-told",
    pattern:
      /\btak(es?|ing) (\w+ )?\d+(-\d+)? ?(s|sec|seconds|min|minutes)\b|\b\d{4,6} ?ms\b|(very|extremely) slow/i,
  },
  { id: "timeout-told", pattern: /\btim(e|es|ed|ing) ?-?outs?\b|超时/i },
  {
    // up to 2026.7 a refused connection printed 1006: of the literal ones most were that (11 of 47 threads)
    id: "local-close-told",
    pattern: /(?<!\d)1006(?!\d)[\s\S]{0,200}Source: local loopback/i,
  },
  {
    id: "health-timeout-told",
    pattern: /(health|readyz|\brpc|probe|endpoint|HTTP)[^\n]{0,60}\btim(e|es|ed|ing)? ?-?outs?\b/i,
  },
  { id: "handshake-named-told", pattern: /\bhandshakes?\b|握手/i },
  {
    id: "call-failed-told",
    pattern: /\b(agent|announce|browser|tool|cron|message)\b[^\n]{0,60}failed[^\n]{0,60}gateway closed/i,
  },
  { id: "rejected-told", pattern: /(gateway closed|disconnected) \(1008\)/i },
  {
    id: "auth-failed-told",
    pattern:
      /\bauth(entication|orization)?( attempts?)? (fail|reject)\w*|failed authentication|failed[^\n]{0,20} authentication|unauthori[sz]ed/i,
  },
  {
    id: "cannot-reach-told",
    pattern:
      /(cannot|can't|could not|couldn't|unable to|fails? to|not) (be )?(reach|connect|access)(ed|able)?\b|unreachable|ECONNREFUSED|connection refused|CONNECTION_REFUSED|\b10061\b|无法(访问|连接)|连不上/i,
  },
  {
    id: "still-alive-told",
    pattern:
      /(process|gateway|pid|service|it)\b[^\n]{0,30}\b(stays?|stayed|remains?|is still|still|is) (alive|up\b|active)|active \(running\)|port( \d+)? (is |still )+(bound|listening)|listening on (127|ws)|same PID|PID unchanged|process (is )?alive|state active\)/i,
  },
  {
    id: "false-alarm-told",
    pattern:
      /false[- ](negative|failure|alarm|unreachable)|misreport|(reports?|says|shows|returns?)[^\n]{0,60}(unreachable|fail\w*|unhealthy)[^\n]{0,60}(even (though|when)|although|while)[^\n]{0,60}(healthy|running|works|fine|reachable)/i,
  },
  {
    id: "live-told",
    pattern:
      /"status":"live"|\/?healthz?\b[^\n]{0,30}\b(200|ok|passes|healthy)\b|gateway( process| itself)? (is |was |stays |remains )(otherwise |fully |perfectly |actually |still )?(healthy|functional|fine|working|reachable)|(HTTP|curl)[^\n]{0,60}\b200\b|dashboard[^\n]{0,20}(reachable|loads|works)/i,
  },
  {
    id: "abnormal-close-told",
    // a channel's own socket is not the gateway's (#78910), and 10061 is no 1006
    pattern: /(?<!\[(?:discord|feishu|slack|telegram|whatsapp|wechat|qqbot)[^\n]*)(?<!\d)1006(?!\d)/i,
  },
  { id: "scope-limited-told", pattern: /missing scope: operator\.read/i },
  {
    id: "stale-entry-told",
    pattern:
      /stale (extension|unit|service|entry|path|wrapper|peer)|Node (version )?upgrade leaves|old nvm path|(service|unit|systemd|plist|ExecStart)[^\n]{0,60}\b(old|stale|wrong|deleted|non-?existent) (nvm |node )?(path|version|install|entry)|points? (at|to) an? (old|stale|removed|deleted|non-?existent)|(systemd|服务)[^\n]{0,40}路径[^\n]{0,10}(旧|不存在)/i,
  },
  {
    id: "old-process-told",
    pattern:
      /(keeping|with) an old process|old (gateway )?process (is )?(still )?(alive|running)|(still-?running|running) gateway[^\n]{0,60}\b(old|older|stale)\b|(hold|cach)\w*[^\n]{0,20}\b(old|stale) (module|chunk|import|code|dist)|\b(old|stale) (ESM |module |import |content-)?(chunk|hash|import)|(replac|overwr|rewr)\w* (its |the )?dist\b|after (a |the )?package update/i,
  },
  {
    id: "other-url-told",
    pattern:
      /instead of (the )?(\S+ )?(gateway's? )?(gateway\.port |port )?\d{4,5}|instead of the profile|(tries|targets|assumes|hard-?code[sd]?|dials)[^\n]{0,40}(wss?:\/\/|localhost|127\.0\.0\.1|18789)|probes? ws:\/\/\S+[^\n]{0,60}instead|hard-?code[sd]? (port )?\d{4,5}|(wrong|backend) port\b|ignor(es|ing) (the )?(configured |custom )?gateway\.(port|bind|remote)|(?:--port|gateway\.port) (?<told>\d{4,5})[^\n]{0,60}listens? on (?:port )?(?!\k<told>)\d{4,5}/i,
  },
  {
    id: "bound-elsewhere-told",
    pattern: /Gateway target: ws:\/\/127\.0\.0\.1[\s\S]{0,300}Bind: (tailnet|custom)/i,
  },
  {
    id: "agent-restarted-told",
    pattern:
      /agent[^\n]{0,80}\b(ran|runs|execut\w+|calls?|called|triggers?|invokes?|attempts)\b[^\n]{0,60}(gateway (restart|stop)|restart the (gateway|process))|restart[^\n]{0,60}(from within|inside|invoked by|executed from)[^\n]{0,30}(agent|session|gateway)|running inside the gateway/i,
  },
  {
    id: "burst-told",
    pattern:
      /\d+ (of \d+ )?(parallel|concurrent|simultaneous)|concurrent (tool )?calls|parallel (tool )?calls|connection burst|pre-auth(enticated)? (sockets|connections)/i,
  },
  {
    id: "no-keepalive-told",
    pattern:
      /half-open|\b(no|zero|missing|without|lacks) (server-side |server |websocket |ws |any )*(pings?|heartbeats?|keepalives?|keep-alives?)\b|idle (drop|disconnect|timeout)|心跳|保活/i,
  },
  {
    id: "drops-told",
    pattern:
      /(drops?|dropped|disconnects?|disconnected)\b[^\n]{0,60}(every|after|repeatedly|multiple times|again)|disconnected code=1006|(\d+|repeated|constant|frequent) disconnects|(dis)?connect\/reconnect|reconnect(s|ing)? (loop|repeatedly)/i,
  },
  {
    id: "payload-told",
    pattern:
      /maxPayload|MAX_PAYLOAD|(image|file|attachment|payload|message)s?\b[^\n]{0,60}(exceed|too (large|big)|larger than)|\d [KM]B[^\n]{0,20} limit/i,
  },
  {
    id: "long-turn-told",
    pattern:
      /(during|in|for) (a )?long(-running)? (tool|model|agent|turn|response|task|session|call)|long turns?/i,
  },
  {
    id: "restart-not-back-told",
    pattern:
      /\b(never|not|doesn't|didn't|won't|without|no)( \w+){0,3} (comes? back|came back|back up|bring (it|the gateway) back|re-?launch\w*|respawn\w*|recover(ing|s)?\b|actually restart)|not follow up|silently (dropped|discarded|no-ops)|restart still failed|did not restart|does not restart it|stays? (down|dead|stopped)\b|(is |was )?left (completely |it )?(dead|down|stopped)\b|leav(es|ing) (it|the gateway) (stopped|down|dead)|restart[^\n]{0,30}(kills|returns success|reports success)/i,
  },
  {
    id: "memory-told",
    pattern:
      /out[- ]?of[- ]?memory|\bOOM|memory (exhaust\w*|leaks?|grow\w*|pressure|peak(s|ed)|spikes?|climb\w*)|heap (exhaust\w*|grow\w*)|RSS (climb|grow)\w*|consumed all available RAM|内存(不足|泄漏|溢出)/i,
  },
  {
    id: "log-large-told",
    pattern:
      /\d+(\.\d+)? ?GB[^\n]{0,20}\blog\b|log file[^\n]{0,30}\d+(\.\d+)? ?GB|\.log\b[^\n]{0,20}\d+(\.\d+)? ?GB/i,
  },
  {
    id: "database-told",
    pattern:
      /(?<![.\w-])SQLite[^\n]{0,40}(lock|integrity|corrupt|malformed|busy|WAL\b)|sqlite-wal|(state|agent|memory) (database|DB)[^\n]{0,30}(lock|corrupt|malformed|maintenance)/i,
  },
];

/** What people tell in their own words: symptoms, and what they did before. */
export const saidByPeople: readonly TextRule[] = rules.map((rule) => ({ ...rule, isTold: true }));
