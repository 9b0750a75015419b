import { join } from "node:path";
import { MARK, type ServiceSettings, stateLine } from "./types.ts";
import { xmlText } from "./xml.ts";

export const LAUNCHD_LABEL = "dev.clawkit.gateway";

/** launchd starts a job at most this often; its own default, said here since `docs/services.md` says it. */
const THROTTLE_SEC = 10;

/** What launchd's log of the supervisor is called: it holds what comes before and beyond our own logs. */
export const SERVICE_LOG = "service.log";

/** The text of the agent's property list, launchd.plist(5). */
export function launchdPlist(settings: ServiceSettings): string {
  const { node, entry, stateDir, logsDir, path, variables, stopSec } = settings;
  const log = join(logsDir, SERVICE_LOG);
  const text = (value: string) => `<string>${xmlText(value)}</string>`;
  const environment = Object.entries({ CLAWKIT_STATE_DIR: stateDir, PATH: path, ...variables });
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!--
  ${MARK}; to change it, run that again.
  ${stateLine(stateDir)}
-->
<plist version="1.0">
<dict>
  <key>Label</key>
  ${text(LAUNCHD_LABEL)}
  <key>ProgramArguments</key>
  <array>
    ${[node, entry, "gateway", "run"].map(text).join("\n    ")}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
    ${environment.map(([name, value]) => `<key>${name}</key>\n    ${text(value)}`).join("\n    ")}
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <!-- also after exit 0, which is not always meant -->
  <key>KeepAlive</key>
  <true/>
  <key>ThrottleInterval</key>
  <integer>${THROTTLE_SEC}</integer>
  <key>ExitTimeOut</key>
  <integer>${stopSec}</integer>
  <!-- an orphaned edge tells its clients before it ends: launchd would kill it with the supervisor -->
  <key>AbandonProcessGroup</key>
  <true/>
  <!-- clients wait for it: no throttled disk, no coalesced timers -->
  <key>ProcessType</key>
  <string>Interactive</string>
  <key>Umask</key>
  <integer>63</integer>
  <key>StandardOutPath</key>
  ${text(log)}
  <key>StandardErrorPath</key>
  ${text(log)}
</dict>
</plist>
`;
}
