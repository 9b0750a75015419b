import { runCommand } from "../../host/command.ts";
import type { ServiceManager } from "../../services/types.ts";
import { type ConsentOptions, isAllowed } from "../consent.ts";
import type { CliContext } from "../context.ts";
import { placeOf, serviceFacts } from "../service.ts";

const LOGINCTL_MS = 10_000;

/**
 * Services of a user start when the user logs in and end with the last session, unless the user lingers. Offers
 * that; returns what a person must know, or nothing.
 */
export async function lingerAdvice(
  context: CliContext,
  options: ConsentOptions,
  manager: ServiceManager,
): Promise<string> {
  if (manager.name !== "systemd (user)") return "";
  const { isWsl } = await placeOf(context);
  const wsl =
    "WSL ends what no terminal is open for, lingering or not: keep one open, or install in Windows.";
  if ((await serviceFacts(context, manager))?.endsWithSession !== true) return isWsl ? wsl : "";
  const { userName } = context;
  const command = `loginctl enable-linger ${userName}`;
  const ends = `It ends when ${userName} logs out, and starts at the next login.`;
  if (!(await isAllowed(context, options, `${ends} May I run ${command}?`))) {
    return `${ends} To have it from boot on: sudo ${command}`;
  }
  try {
    const limits = { mustSucceed: true, timeLimitMs: LOGINCTL_MS };
    await runCommand("loginctl", ["enable-linger", userName], limits);
    return isWsl
      ? wsl
      : `It runs from boot on, whoever is logged in (undo: loginctl disable-linger ${userName})`;
  } catch {
    return `${ends} This user may not change that: sudo ${command}`;
  }
}
