import type { TextRule } from "./text.ts";

/** What Node, kernels, service managers, containers, proxies and networks say. */
export const saidBySystems: readonly TextRule[] = [
  { id: "refused-said", pattern: /ECONNREFUSED|connection refused|WSAECONNREFUSED|\b10061\b/i },
  { id: "reset-said", pattern: /ECONNRESET|socket hang up|connection reset|empty reply/i },
  { id: "timed-out-said", pattern: /ETIMEDOUT|timed out|timeout/i },
  {
    id: "upgrade-rejected-said",
    pattern:
      /Unexpected server response: [2-5]\d\d|\b400 Bad Request\b[^\n]{0,60}(WebSocket|upgrade)|returns? 400\b[^\n]{0,60}(WebSocket|upgrade)|HTTP (530|400) errors/i,
  },
  {
    id: "tls-said",
    pattern:
      /self-signed certificate|DEPTH_ZERO_SELF_SIGNED|wrong version number|unable to verify the first certificate|EPROTO/i,
  },
  { id: "opening-timeout-said", pattern: /Opening handshake has timed out/i },
  { id: "module-missing-said", pattern: /ERR_MODULE_NOT_FOUND|Cannot find (module|package) / },
  { id: "node-stack-said", pattern: /code=exited, status=1\/FAILURE|^Node\.js v\d+/m },
  {
    id: "heap-oom-said",
    pattern: /heap out of memory|Reached heap limit|OOMErrorHandler|FatalProcessOutOfMemory/i,
  },
  {
    id: "kernel-oom-said",
    pattern:
      /Out of memory: Killed process \d+ \((node|openclaw|clawdbot|moltbot|MainThread|npm)|killed by the OOM killer|OOM[- ]?kill(ed|er)?\b|OOMKilled|systemd-oomd|oom-killer|killed by the kernel/i,
  },
  { id: "exit-137-said", pattern: /exit(ed)?[^\n]{0,20}\b137\b|code[ =:]*137/i },
  { id: "exit-139-said", pattern: /\bsegfaults?\b|SIGSEGV|code[ =:]*139|EXC_BAD_ACCESS|Segmentation fault/i },
  { id: "exit-78-said", pattern: /status=78\b|code[ =:(]*78\b|exit(ed)?( with)?( code| status)? 78\b/i },
  { id: "exit-0-said", pattern: /(exit(s|ed)?|code)[^\n]{0,20}\b(code|with)?[ =:"]*0\b(?![.\d])/i },
  {
    id: "disk-full-said",
    pattern: /\bENOSPC\b(?!.*file watchers)|no space left on device|(?:database or )?disk is full/i,
  },
  {
    id: "database-said",
    pattern:
      /database is locked|database disk image is malformed|file is not a database|SQLITE_(BUSY|CORRUPT|NOTADB)|database maintenance is in progress/i,
  },
  {
    id: "launchd-gone-said",
    pattern:
      /removing service: \S*(openclaw|clawdbot)|LaunchAgent[^\n]{0,60}(not loaded|no longer loaded)|service is gone|not loaded in launchd|launchctl (disable|bootout)|bootout\b|Bootstrap failed: \d|launchctl (kickstart|bootstrap|load) failed|"ai\.openclaw\.gateway" => disabled/i,
  },
  {
    id: "systemd-bus-said",
    pattern:
      /Failed to connect to bus|systemctl (--user|is-enabled) unavailable|systemd user services (are )?unavailable|run the gateway in the foreground instead/i,
  },
  { id: "systemd-start-limit-said", pattern: /start-limit-hit|Start request repeated too quickly/i },
  { id: "systemd-inactive-said", pattern: /Deactivated successfully|inactive \(dead\)/ },
  {
    id: "restart-on-failure-said",
    pattern: /Restart=on-failure|restart_policy[^\n]{0,30}on-failure|RestartOnFailure/,
  },
  {
    id: "no-linger-said",
    pattern:
      /Linger=no|enable-linger|(SSH|terminal)( session)?[^\n]{0,80}(disconnects?|closes?|closed|logs? out|ends)[^\n]{0,80}(offline|dies|stops|gone|killed)/i,
  },
  { id: "wsl-said", pattern: /\bWSL ?2?\b/i, isPlace: true },
  {
    id: "task-failed-said",
    pattern: /schtasks \/?create[^\n]{0,30}failed|stub received bad data|schtasks create/i,
  },
  {
    id: "task-handoff-said",
    pattern:
      /source=windows-task-handoff|schtasks \/?run\b[^\n]{0,40}(fail|cannot|never)|Last (Run )?Result:? ?267009/i,
  },
  {
    id: "task-policy-said",
    pattern:
      /ExecutionTimeLimit|LogonTrigger|72 hours|on battery|StopIfGoingOnBatteries|trigger repetition|Duration = P1D/i,
  },
  {
    id: "port-reserved-said",
    pattern: /excluded ?port ?range|EACCES[^\n]{0,40}(listen|bind|18789)|listen EACCES/i,
  },
  { id: "docker-said", pattern: /\bdocker\b|\bcontainers?\b|compose\b/i, isPlace: true },
  {
    id: "docker-cli-run-said",
    pattern: /compose run[^\n]{0,40}openclaw-cli|openclaw-cli[^\n]{0,40}compose run/i,
  },
  { id: "listening-loopback-said", pattern: /listen(s|ing)?( only)? on ws:\/\/127\.0\.0\.1/i },
];
