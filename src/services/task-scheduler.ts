import { win32 } from "node:path";
import type { DefinitionFile, ServiceCommand, ServiceManager, ServiceVerb } from "./types.ts";
import { TASK_NAME, windowsLauncher, windowsTask } from "./windows-task.ts";

const COMMAND_MS = 30_000;

const PRIVATE_FILE = 0o600;

/** `stateDir` holds a copy of what the task was made of: the scheduler itself keeps it in its own folder. */
export function taskScheduler({ stateDir }: { readonly stateDir: string }): ServiceManager {
  const folder = win32.join(stateDir, "service");
  const definitionPath = win32.join(folder, `${TASK_NAME}.xml`);
  const launcher = win32.join(folder, "clawkit.vbs");
  const run = (...args: string[]): ServiceCommand => ({
    file: "schtasks.exe",
    args,
    timeLimitMs: COMMAND_MS,
  });
  const commands: Readonly<Record<ServiceVerb, readonly ServiceCommand[]>> = {
    load: [run("/Create", "/TN", TASK_NAME, "/XML", definitionPath, "/F")],
    unload: [{ ...run("/Delete", "/TN", TASK_NAME, "/F"), mayFail: true }],
    forget: [],
    start: [run("/Change", "/TN", TASK_NAME, "/ENABLE"), run("/Run", "/TN", TASK_NAME)],
    // only that it isn't started again: /End is a kill, the supervisor is asked to stop after this
    stop: [run("/Change", "/TN", TASK_NAME, "/DISABLE")],
    restart: [],
  };
  const file = (path: string, text: string): DefinitionFile => ({
    path,
    text,
    mode: PRIVATE_FILE,
    encoding: "utf16le",
  });
  return {
    name: "Windows task",
    service: TASK_NAME,
    definitionPath,
    files: (settings) => [
      file(definitionPath, windowsTask(settings, launcher)),
      file(launcher, windowsLauncher(settings)),
    ],
    commands: (verb) => commands[verb],
    logCommand: "clawkit logs",
  };
}
