import { win32 } from "node:path";
import { MARK, type ServiceSettings, stateLine } from "./types.ts";
import { xmlText } from "./xml.ts";

export const TASK_NAME = "ClawKit";

/**
 * The task's XML, [MS-TSCH] 2.5. Task Scheduler brings back only what failed, and exit 0 is no failure: the second
 * trigger looks every minute, and does nothing while an instance runs. It has no Duration, which would end it after
 * a day (openclaw#81020).
 */
export function windowsTask(settings: ServiceSettings, launcher: string): string {
  const text = xmlText;
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <!--
    ${MARK}; to change it, run that again.
    ${stateLine(settings.stateDir)}
  -->
  <RegistrationInfo>
    <Description>Keeps the ClawKit gateway running.</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
      <UserId>${text(settings.user)}</UserId>
    </LogonTrigger>
    <TimeTrigger>
      <Enabled>true</Enabled>
      <StartBoundary>2026-01-01T00:00:00</StartBoundary>
      <Repetition>
        <Interval>PT1M</Interval>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
    </TimeTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>${text(settings.user)}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <IdleSettings>
      <StopOnIdleEnd>false</StopOnIdleEnd>
      <RestartOnIdle>false</RestartOnIdle>
    </IdleSettings>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <Hidden>false</Hidden>
    <RunOnlyIfIdle>false</RunOnlyIfIdle>
    <WakeToRun>false</WakeToRun>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>5</Priority>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>999</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>wscript.exe</Command>
      <Arguments>//B //NoLogo "${text(launcher)}"</Arguments>
      <WorkingDirectory>${text(win32.dirname(launcher))}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
`;
}

/**
 * What the task runs: Settings.Hidden only hides the task, not its console window (openclaw#89231). It waits, so that
 * the task lasts as long as the gateway does, and ends with its exit code.
 */
export function windowsLauncher({ node, entry, stateDir, path, variables }: ServiceSettings): string {
  const literal = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const lines = [
    `' ${MARK}; to change it, run that again.`,
    `' ${stateLine(stateDir)}`,
    'Set shell = CreateObject("WScript.Shell")',
    'Set variables = shell.Environment("PROCESS")',
    ...Object.entries({ CLAWKIT_STATE_DIR: stateDir, PATH: path, ...variables }).map(
      ([name, value]) => `variables("${name}") = ${literal(value)}`,
    ),
    `WScript.Quit shell.Run(${literal(`"${node}" "${entry}" gateway run`)}, 0, True)`,
  ];
  return lines.map((line) => `${line}\r\n`).join("");
}
