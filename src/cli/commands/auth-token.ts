import { resolveConfig, tokenVariable } from "../../config/resolve.ts";
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
  const { auth, upstream } = resolveConfig(source, context.env).gateway;
  const { mode, token } = auth;
  const variable = tokenVariable(context.env);
  const place = variable === undefined ? source.path : `the environment's ${variable}`;
  const why =
    upstream.type === "builtin"
      ? `gateway.auth.mode is ${mode}`
      : `the gateway has its own authentication: gateway.upstream is ${upstream.type}`;
  const isSet = upstream.type === "builtin" && mode === "token" && token !== undefined;
  const { out } = context;
  if (show) {
    if (json || !out.isTerminal)
      throw new ClawkitError("USAGE", `--show is for a terminal only; programs read the token in ${place}`);
    if (!isSet) throw new ClawkitError("USAGE", `There is no token to show as ${why}`);
    out.line(token);
    return 0;
  }
  if (json) out.json({ ok: true, mode, isSet, path: source.path, ...(variable && { variable }) });
  else if (isSet) out.line(`A token is set (${place}); at a terminal --show prints it`);
  else out.line(`No token is used: ${why}`);
  return 0;
}
