import { consoleUrl } from "../../core/control.ts";
import { ClawkitError, messageOf, systemErrorCode } from "../../core/errors.ts";
import type { CliContext } from "../context.ts";
import { askForCode } from "../control-client.ts";
import { statusToLookAt } from "../running.ts";

export interface ConsoleOptions {
  readonly port?: string;
  /** False with --no-open. */
  readonly open?: boolean;
  readonly json?: boolean;
}

/** `clawkit console`: the way into the edge's console, or, while there is no edge, a console served from here. */
export async function openConsole(context: CliContext, options: ConsoleOptions): Promise<number> {
  const port = portOf(options.port);
  const there = await edgeConsole(context);
  if (there !== undefined) {
    await show(context, { ...options, ...there, servedBy: "edge" });
    return 0;
  }
  try {
    await context.runConsole(port ?? 0, (at) => {
      void show(context, {
        ...options,
        url: withCode(consoleUrl(`ws://127.0.0.1:${at.port}`), at.code),
        servedBy: "this command",
      });
    });
  } catch (cause) {
    if (systemErrorCode(cause) !== "EADDRINUSE") throw cause;
    throw new ClawkitError(
      "PORT_IN_USE",
      `Cannot serve the console on port ${port} as it is in use: choose another --port`,
      { cause },
    );
  }
  return 0;
}

/** Undefined while no edge can serve it: nothing runs, or what runs does not answer. */
async function edgeConsole(context: CliContext): Promise<{ url: string } | undefined> {
  const status = await statusToLookAt(context);
  if (status.edge.pid === null || status.url === null) return undefined;
  try {
    const answer = await askForCode(context.controlPath);
    if (answer === undefined) return undefined;
    return { url: withCode(consoleUrl(status.url), answer.code) };
  } catch (error) {
    context.out.progress(`the edge serves no console now (${messageOf(error)}): serving one from here`);
    return undefined;
  }
}

/** The code stands in the fragment: a browser keeps that to itself, so it is in no log and no referrer. */
function withCode(url: string, code: string): string {
  return `${url}#code=${code}`;
}

async function show(
  context: CliContext,
  { url, servedBy, open, json }: ConsoleOptions & { url: string; servedBy: string },
): Promise<void> {
  const { out } = context;
  if (json) return out.json({ ok: true, url, servedBy, codeGoodForSec: 60 });
  out.line(`The console is at ${url}`);
  out.line("The address is good once, for a minute; clawkit console makes another one.");
  if (servedBy !== "edge")
    out.line("It is served from here as no edge serves it: leave it open, Ctrl-C ends it.");
  if (open === false || !out.isTerminal) return;
  const command = openerOf(context, url);
  if (command !== undefined) await context.launch(command[0]!, command.slice(1)).catch(() => undefined); // it is printed above
}

/** How this system opens an address; undefined without a screen. */
function openerOf({ platform, env }: CliContext, url: string): readonly string[] | undefined {
  if (platform === "darwin") return ["open", url];
  if (platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler", url];
  return env.DISPLAY || env.WAYLAND_DISPLAY ? ["xdg-open", url] : undefined;
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65_536) return Number(text);
  throw new ClawkitError("USAGE", `--port must be a number from 1 to 65535, not ${JSON.stringify(text)}`);
}
