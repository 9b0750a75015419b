import type { Cause } from "../types.ts";
import { brokenInstall } from "./broken-install.ts";
import { clientWentAway } from "./client-went-away.ts";
import { configInvalid } from "./config-invalid.ts";
import { configRefusedAtStartup } from "./config-refused-at-startup.ts";
import { configReloadRestart } from "./config-reload-restart.ts";
import { connectionBurst } from "./connection-burst.ts";
import { connectionResetMidRequest } from "./connection-reset-mid-request.ts";
import { diskFull } from "./disk-full.ts";
import { dockerCliWrongNetns } from "./docker-cli-wrong-netns.ts";
import { dockerLoopbackBind } from "./docker-loopback-bind.ts";
import { doctorFixSideEffect } from "./doctor-fix-side-effect.ts";
import { eventLoopBlocked } from "./event-loop-blocked.ts";
import { gatewayStarting } from "./gateway-starting.ts";
import { handshakeTimeout } from "./handshake-timeout.ts";
import { hostSleep } from "./host-sleep.ts";
import { idleDropNoKeepalive } from "./idle-drop-no-keepalive.ts";
import { launchagentNotLoaded } from "./launchagent-not-loaded.ts";
import { logFileTooLarge } from "./log-file-too-large.ts";
import { nativeCrash } from "./native-crash.ts";
import { noLinger } from "./no-linger.ts";
import { notListening } from "./not-listening.ts";
import { oom } from "./oom.ts";
import { pairingOrAuthRejected } from "./pairing-or-auth-rejected.ts";
import { payloadTooLarge } from "./payload-too-large.ts";
import { portConflict } from "./port-conflict.ts";
import { portReservedByWindows } from "./port-reserved-by-windows.ts";
import { probeFalseNegative } from "./probe-false-negative.ts";
import { protocolMismatch } from "./protocol-mismatch.ts";
import { proxyCapturesLoopback } from "./proxy-captures-loopback.ts";
import { restartNotRelaunched } from "./restart-not-relaunched.ts";
import { reverseProxy } from "./reverse-proxy.ts";
import { selfRestartByAgent } from "./self-restart-by-agent.ts";
import { serviceNotInstalled } from "./service-not-installed.ts";
import { sqliteCorruptOrLocked } from "./sqlite-corrupt-or-locked.ts";
import { staleLock } from "./stale-lock.ts";
import { staleProcessAfterUpdate } from "./stale-process-after-update.ts";
import { staleServiceEntrypoint } from "./stale-service-entrypoint.ts";
import { systemdStartLimit } from "./systemd-start-limit.ts";
import { systemdUserBusMissing } from "./systemd-user-bus-missing.ts";
import { tlsMismatch } from "./tls-mismatch.ts";
import { uncaughtExceptionCrash } from "./uncaught-exception-crash.ts";
import { wedgedProcess } from "./wedged-process.ts";
import { windowsTaskPolicy } from "./windows-task-policy.ts";
import { wrongUrlOrPort } from "./wrong-url-or-port.ts";
import { wslLocalhostForwarding } from "./wsl-localhost-forwarding.ts";

/** All causes; which of them holds is for the facts to say. */
export const allCauses: readonly Cause[] = [
  brokenInstall,
  clientWentAway,
  configInvalid,
  configRefusedAtStartup,
  configReloadRestart,
  connectionBurst,
  connectionResetMidRequest,
  diskFull,
  dockerCliWrongNetns,
  dockerLoopbackBind,
  doctorFixSideEffect,
  eventLoopBlocked,
  gatewayStarting,
  handshakeTimeout,
  hostSleep,
  idleDropNoKeepalive,
  launchagentNotLoaded,
  logFileTooLarge,
  nativeCrash,
  noLinger,
  notListening,
  oom,
  pairingOrAuthRejected,
  payloadTooLarge,
  portConflict,
  portReservedByWindows,
  probeFalseNegative,
  protocolMismatch,
  proxyCapturesLoopback,
  restartNotRelaunched,
  reverseProxy,
  selfRestartByAgent,
  serviceNotInstalled,
  sqliteCorruptOrLocked,
  staleLock,
  staleProcessAfterUpdate,
  staleServiceEntrypoint,
  systemdStartLimit,
  systemdUserBusMissing,
  tlsMismatch,
  uncaughtExceptionCrash,
  wedgedProcess,
  windowsTaskPolicy,
  wrongUrlOrPort,
  wslLocalhostForwarding,
];
