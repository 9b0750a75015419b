import { fault as abort } from "./abort.ts";
import { fault as addressInUse } from "./address-in-use.ts";
import { fault as allKilled } from "./all-killed.ts";
import { fault as busyLoop } from "./busy-loop.ts";
import { fault as cgroupOom } from "./cgroup-oom.ts";
import { fault as clientUrl } from "./client-url.ts";
import { fault as configCut } from "./config-cut.ts";
import { fault as configForeignAddress } from "./config-foreign-address.ts";
import { fault as configUnknownKey } from "./config-unknown-key.ts";
import { fault as configUnsafe } from "./config-unsafe.ts";
import { fault as connectionBurst } from "./connection-burst.ts";
import { fault as diskFull } from "./disk-full.ts";
import { fault as dockerCliApart } from "./docker-cli-apart.ts";
import { fault as dockerCliRun } from "./docker-cli-run.ts";
import { fault as dockerKilled } from "./docker-killed.ts";
import { fault as dockerLoopback } from "./docker-loopback.ts";
import { fault as dockerNoRestartPolicy } from "./docker-no-restart-policy.ts";
import { fault as dockerNotPublished } from "./docker-not-published.ts";
import { fault as dockerOom } from "./docker-oom.ts";
import { fault as dockerStopped } from "./docker-stopped.ts";
import { fault as dockerUnhealthy } from "./docker-unhealthy.ts";
import { fault as exit0 } from "./exit-0.ts";
import { fault as exit1 } from "./exit-1.ts";
import { fault as exit78 } from "./exit-78.ts";
import type { ClawkitFault, DockerFault, Fault, OpenclawFault } from "./fault.ts";
import { fault as filesUsedUp } from "./files-used-up.ts";
import { fault as firewallDrop } from "./firewall-drop.ts";
import { fault as firewallReset } from "./firewall-reset.ts";
import { fault as foreignOrigin } from "./foreign-origin.ts";
import { fault as heap } from "./heap.ts";
import { fault as hostSlept } from "./host-slept.ts";
import { fault as hugeMessage } from "./huge-message.ts";
import { fault as ipv6Client } from "./ipv6-client.ts";
import { fault as ipv6Gateway } from "./ipv6-gateway.ts";
import { fault as leftoverEdge } from "./leftover-edge.ts";
import { fault as linkDown } from "./link-down.ts";
import { fault as loopbackDown } from "./loopback-down.ts";
import { fault as missingModule } from "./missing-module.ts";
import { fault as missingProgram } from "./missing-program.ts";
import { fault as moduleBroken } from "./module-broken.ts";
import { fault as natTimeout } from "./nat-timeout.ts";
import { fault as neverReady } from "./never-ready.ts";
import { fault as noInodes } from "./no-inodes.ts";
import { fault as noLinger } from "./no-linger.ts";
import { fault as openclawBusyLoop } from "./openclaw-busy-loop.ts";
import { fault as openclawCgroupOom } from "./openclaw-cgroup-oom.ts";
import { fault as openclawConfigCut } from "./openclaw-config-cut.ts";
import { fault as openclawContainerGone } from "./openclaw-container-gone.ts";
import { fault as openclawDatabaseCorrupt } from "./openclaw-database-corrupt.ts";
import { fault as openclawDiskFull } from "./openclaw-disk-full.ts";
import { fault as openclawException } from "./openclaw-exception.ts";
import { fault as openclawFirewallDrop } from "./openclaw-firewall-drop.ts";
import { fault as openclawHeap } from "./openclaw-heap.ts";
import { fault as openclawKilled } from "./openclaw-killed.ts";
import { fault as openclawLargeLog } from "./openclaw-large-log.ts";
import { fault as openclawModeUnset } from "./openclaw-mode-unset.ts";
import { fault as openclawOldNode } from "./openclaw-old-node.ts";
import { fault as openclawPortTaken } from "./openclaw-port-taken.ts";
import { fault as openclawRejection } from "./openclaw-rejection.ts";
import { fault as openclawRespawned } from "./openclaw-respawned.ts";
import { fault as openclawSecond } from "./openclaw-second.ts";
import { fault as openclawSigterm } from "./openclaw-sigterm.ts";
import { fault as openclawStaleLock } from "./openclaw-stale-lock.ts";
import { fault as openclawStarting } from "./openclaw-starting.ts";
import { fault as openclawStopped } from "./openclaw-stopped.ts";
import { fault as openclawUnknownKey } from "./openclaw-unknown-key.ts";
import { fault as openclawUnsafeBind } from "./openclaw-unsafe-bind.ts";
import { fault as openclawWrongPort } from "./openclaw-wrong-port.ts";
import { fault as openclawWrongToken } from "./openclaw-wrong-token.ts";
import { fault as openclawWssToPlain } from "./openclaw-wss-to-plain.ts";
import { fault as openclawZombie } from "./openclaw-zombie.ts";
import { fault as packetsLost } from "./packets-lost.ts";
import { fault as portGivenToClient } from "./port-given-to-client.ts";
import { fault as portNotPermitted } from "./port-not-permitted.ts";
import { fault as portTakenHttp } from "./port-taken-http.ts";
import { fault as portTakenSilent } from "./port-taken-silent.ts";
import { fault as programNotExecutable } from "./program-not-executable.ts";
import { fault as protocol99 } from "./protocol-99.ts";
import { fault as proxy } from "./proxy.ts";
import { fault as proxyMode } from "./proxy-mode.ts";
import { fault as recorderCorrupt } from "./recorder-corrupt.ts";
import { fault as segfault } from "./segfault.ts";
import { fault as selfKill } from "./self-kill.ts";
import { fault as startLimit } from "./start-limit.ts";
import { fault as stateFolderClosed } from "./state-folder-closed.ts";
import { fault as stateReadOnly } from "./state-read-only.ts";
import { fault as stopped } from "./stopped.ts";
import { fault as supervisorAndGatewayStopped } from "./supervisor-and-gateway-stopped.ts";
import { fault as supervisorStopped } from "./supervisor-stopped.ts";
import { fault as uncaughtException } from "./uncaught-exception.ts";
import { fault as unhandledRejection } from "./unhandled-rejection.ts";
import { fault as unitEntryGone } from "./unit-entry-gone.ts";
import { fault as unknownHost } from "./unknown-host.ts";
import { fault as upstreamGone } from "./upstream-gone.ts";
import { fault as upstreamNowhere } from "./upstream-nowhere.ts";
import { fault as urlVariable } from "./url-variable.ts";
import { fault as wrongPort } from "./wrong-port.ts";
import { fault as wrongToken } from "./wrong-token.ts";
import { fault as wsToTls } from "./ws-to-tls.ts";
import { fault as wssToPlain } from "./wss-to-plain.ts";

export const clawkitFaults: readonly ClawkitFault[] = [
  abort,
  addressInUse,
  allKilled,
  busyLoop,
  cgroupOom,
  clientUrl,
  configCut,
  configForeignAddress,
  configUnknownKey,
  configUnsafe,
  connectionBurst,
  diskFull,
  exit0,
  exit1,
  exit78,
  filesUsedUp,
  moduleBroken,
  firewallDrop,
  firewallReset,
  foreignOrigin,
  heap,
  hostSlept,
  hugeMessage,
  ipv6Client,
  ipv6Gateway,
  leftoverEdge,
  linkDown,
  loopbackDown,
  missingModule,
  missingProgram,
  natTimeout,
  neverReady,
  noInodes,
  noLinger,
  packetsLost,
  portGivenToClient,
  portNotPermitted,
  portTakenHttp,
  portTakenSilent,
  programNotExecutable,
  protocol99,
  proxy,
  proxyMode,
  recorderCorrupt,
  segfault,
  selfKill,
  startLimit,
  stateFolderClosed,
  stateReadOnly,
  stopped,
  supervisorAndGatewayStopped,
  supervisorStopped,
  uncaughtException,
  unhandledRejection,
  unitEntryGone,
  unknownHost,
  upstreamGone,
  upstreamNowhere,
  urlVariable,
  wrongPort,
  wrongToken,
  wsToTls,
  wssToPlain,
];

/** In containers. */
export const dockerFaults: readonly DockerFault[] = [
  dockerCliApart,
  dockerCliRun,
  dockerKilled,
  dockerLoopback,
  dockerNoRestartPolicy,
  dockerNotPublished,
  dockerOom,
  dockerStopped,
  dockerUnhealthy,
];

/** On a plain OpenClaw that has never seen ClawKit. */
export const openclawFaults: readonly OpenclawFault[] = [
  openclawBusyLoop,
  openclawCgroupOom,
  openclawConfigCut,
  openclawContainerGone,
  openclawDatabaseCorrupt,
  openclawDiskFull,
  openclawFirewallDrop,
  openclawHeap,
  openclawKilled,
  openclawLargeLog,
  openclawModeUnset,
  openclawOldNode,
  openclawPortTaken,
  openclawRespawned,
  openclawSecond,
  openclawSigterm,
  openclawStaleLock,
  openclawStarting,
  openclawStopped,
  openclawException,
  openclawRejection,
  openclawUnknownKey,
  openclawUnsafeBind,
  openclawWrongPort,
  openclawWrongToken,
  openclawWssToPlain,
  openclawZombie,
];

export const allFaults: readonly Fault[] = [...clawkitFaults, ...dockerFaults, ...openclawFaults];
