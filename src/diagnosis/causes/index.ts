import type { Cause } from "../types.ts";
import { addressFamilyMismatch } from "./address-family-mismatch.ts";
import { brokenInstall } from "./broken-install.ts";
import { cleanExit } from "./clean-exit.ts";
import { clientReset } from "./client-reset.ts";
import { clientUnreachable } from "./client-unreachable.ts";
import { clientWentAway } from "./client-went-away.ts";
import { configInvalid } from "./config-invalid.ts";
import { configRefusedAtStartup } from "./config-refused-at-startup.ts";
import { configReloadRestart } from "./config-reload-restart.ts";
import { connectionBurst } from "./connection-burst.ts";
import { connectionResetMidRequest } from "./connection-reset-mid-request.ts";
import { diskFull } from "./disk-full.ts";
import { dockerCliWrongNetns } from "./docker-cli-wrong-netns.ts";
import { dockerLoopbackBind } from "./docker-loopback-bind.ts";
import { dockerNoRestartPolicy } from "./docker-no-restart-policy.ts";
import { dockerPaused } from "./docker-paused.ts";
import { dockerPortNotPublished } from "./docker-port-not-published.ts";
import { dockerUnhealthy } from "./docker-unhealthy.ts";
import { doctorFixSideEffect } from "./doctor-fix-side-effect.ts";
import { endedWithoutRecord } from "./ended-without-record.ts";
import { eventLoopBlocked } from "./event-loop-blocked.ts";
import { filesUsedUp } from "./files-used-up.ts";
import { gatewayStarting } from "./gateway-starting.ts";
import { gatewayUnreachable } from "./gateway-unreachable.ts";
import { handshakeTimeout } from "./handshake-timeout.ts";
import { hostRestarted } from "./host-restarted.ts";
import { hostSleep } from "./host-sleep.ts";
import { idleDropNoKeepalive } from "./idle-drop-no-keepalive.ts";
import { killedBySignal } from "./killed-by-signal.ts";
import { launchagentNotLoaded } from "./launchagent-not-loaded.ts";
import { logFileTooLarge } from "./log-file-too-large.ts";
import { moduleFailing } from "./module-failing.ts";
import { nameNotResolved } from "./name-not-resolved.ts";
import { nativeCrash } from "./native-crash.ts";
import { networkDrop } from "./network-drop.ts";
import { noLinger } from "./no-linger.ts";
import { notListening } from "./not-listening.ts";
import { oom } from "./oom.ts";
import { pairingOrAuthRejected } from "./pairing-or-auth-rejected.ts";
import { payloadTooLarge } from "./payload-too-large.ts";
import { plannedStop } from "./planned-stop.ts";
import { portConflict } from "./port-conflict.ts";
import { portNotPermitted } from "./port-not-permitted.ts";
import { portReservedByWindows } from "./port-reserved-by-windows.ts";
import { probeFalseNegative } from "./probe-false-negative.ts";
import { protocolMismatch } from "./protocol-mismatch.ts";
import { proxyCapturesLoopback } from "./proxy-captures-loopback.ts";
import { refusedByEdge } from "./refused-by-edge.ts";
import { restartNotRelaunched } from "./restart-not-relaunched.ts";
import { reverseProxy } from "./reverse-proxy.ts";
import { selfRestartByAgent } from "./self-restart-by-agent.ts";
import { serviceNotInstalled } from "./service-not-installed.ts";
import { sqliteCorruptOrLocked } from "./sqlite-corrupt-or-locked.ts";
import { staleLock } from "./stale-lock.ts";
import { staleProcessAfterUpdate } from "./stale-process-after-update.ts";
import { staleServiceEntrypoint } from "./stale-service-entrypoint.ts";
import { startFailed } from "./start-failed.ts";
import { stateNotWritable } from "./state-not-writable.ts";
import { systemdStartLimit } from "./systemd-start-limit.ts";
import { systemdUserBusMissing } from "./systemd-user-bus-missing.ts";
import { tlsMismatch } from "./tls-mismatch.ts";
import { uncaughtExceptionCrash } from "./uncaught-exception-crash.ts";
import { unexplainedExit } from "./unexplained-exit.ts";
import { wedgedProcess } from "./wedged-process.ts";
import { windowsTaskPolicy } from "./windows-task-policy.ts";
import { wrongUrlOrPort } from "./wrong-url-or-port.ts";
import { wslLocalhostForwarding } from "./wsl-localhost-forwarding.ts";

/** All causes; which of them holds is for the facts to say. */
export const allCauses: readonly Cause[] = [
  addressFamilyMismatch,
  brokenInstall,
  cleanExit,
  clientReset,
  clientUnreachable,
  clientWentAway,
  configInvalid,
  configRefusedAtStartup,
  configReloadRestart,
  connectionBurst,
  connectionResetMidRequest,
  diskFull,
  dockerCliWrongNetns,
  dockerLoopbackBind,
  dockerNoRestartPolicy,
  dockerPaused,
  dockerPortNotPublished,
  dockerUnhealthy,
  doctorFixSideEffect,
  endedWithoutRecord,
  eventLoopBlocked,
  filesUsedUp,
  gatewayStarting,
  gatewayUnreachable,
  handshakeTimeout,
  hostRestarted,
  hostSleep,
  idleDropNoKeepalive,
  killedBySignal,
  launchagentNotLoaded,
  logFileTooLarge,
  moduleFailing,
  nameNotResolved,
  nativeCrash,
  networkDrop,
  noLinger,
  notListening,
  oom,
  pairingOrAuthRejected,
  payloadTooLarge,
  plannedStop,
  portConflict,
  portNotPermitted,
  portReservedByWindows,
  probeFalseNegative,
  protocolMismatch,
  proxyCapturesLoopback,
  refusedByEdge,
  restartNotRelaunched,
  reverseProxy,
  selfRestartByAgent,
  serviceNotInstalled,
  sqliteCorruptOrLocked,
  staleLock,
  staleProcessAfterUpdate,
  staleServiceEntrypoint,
  startFailed,
  stateNotWritable,
  systemdStartLimit,
  systemdUserBusMissing,
  tlsMismatch,
  uncaughtExceptionCrash,
  unexplainedExit,
  wedgedProcess,
  windowsTaskPolicy,
  wrongUrlOrPort,
  wslLocalhostForwarding,
];
