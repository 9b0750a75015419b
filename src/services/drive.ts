import { messageOf } from "../core/errors.ts";
import { runCommand } from "../host/command.ts";
import type { ServiceCommand } from "./types.ts";

const RETRY_MS = 1_000;

/** Runs a manager's commands in their order. Throws what the first says that fails and must not. */
export async function drive(
  commands: readonly ServiceCommand[],
  onFailure: (text: string) => void = () => undefined,
): Promise<void> {
  for (const command of commands) {
    try {
      await runUntilDone(command);
    } catch (error) {
      if (!command.mayFail) throw error;
      onFailure(messageOf(error));
    }
  }
}

/** A command line as a person would type it. */
export function commandLine({ file, args }: ServiceCommand): string {
  return [file, ...args].map((word) => (/[\s"]/.test(word) ? JSON.stringify(word) : word)).join(" ");
}

async function runUntilDone({ file, args, environment = {}, timeLimitMs, tries = 1 }: ServiceCommand) {
  for (let left = tries; ; left--) {
    try {
      await runCommand(file, args, { environment, timeLimitMs, mustSucceed: true });
      return;
    } catch (error) {
      if (left <= 1) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
