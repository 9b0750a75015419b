import { resolveConfig } from "../../config/resolve.ts";
import { ClawkitError } from "../../core/errors.ts";
import { readConfigSource } from "../config-file.ts";
import type { CliContext } from "../context.ts";

export interface AuthTokenOptions {
  readonly show?: boolean;
  readonly json?: boolean;
}

/** The token that clients need; shown to a person at a terminal only, so that it gets into no log, pipe or transcript. */
export async function authToken(context: CliContext, { show, json }: AuthTokenOptions): Promise<number> {
  const source = await readConfigSource(context.paths);
  const { mode, token } = resolveConfig(source, context.env).gateway.auth;
  const { out } = context;
  if (show) {
    if (json || !out.isTerminal)
      throw new ClawkitError(
        "USAGE",
        `--show is for a terminal only; programs read the token in ${source.path}`,
      );
    if (mode !== "token" || token === undefined)
      throw new ClawkitError("USAGE", `There is no token to show as gateway.auth.mode is ${mode}`);
    out.line(token);
    return 0;
  }
  const isSet = mode === "token" && token !== undefined;
  if (json) out.json({ ok: true, mode, isSet, path: source.path });
  else if (isSet) out.line(`A token is set (${source.path}); at a terminal --show prints it`);
  else out.line(`No token is used: gateway.auth.mode is ${mode}`);
  return 0;
}
