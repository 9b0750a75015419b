import { json5Problem, parseJson5 } from "../../config/parse.ts";
import { ClawkitError } from "../../core/errors.ts";
import type { CliContext } from "../context.ts";
import { callGateway } from "../gateway-caller.ts";

/** `setTimeout` takes no more (Node's documentation); far beyond what a person waits. */
const MAX_TIMEOUT_SEC = 86_400;

export interface CallOptions {
  /** JSON5. */
  readonly params?: string;
  /** Seconds. */
  readonly timeout?: string;
  readonly json?: boolean;
}

/** `clawkit call <method>`: what the built-in gateway answers is JSON anyway. */
export async function call(context: CliContext, method: string, options: CallOptions): Promise<number> {
  const params = paramsOf(options);
  context.out.json((await callGateway(context, method, params, timeoutMsOf(options))) ?? null);
  return 0;
}

export function paramsOf({ params }: CallOptions): unknown {
  if (params === undefined) return {};
  try {
    return parseJson5({ path: "--params", text: params });
  } catch (error) {
    const { cause } = error as Error;
    throw new ClawkitError("USAGE", `--params is JSON5, such as '{limit: 20}': ${json5Problem(cause)}`, {
      cause,
    });
  }
}

export function timeoutMsOf({ timeout }: CallOptions): number | undefined {
  if (timeout === undefined) return undefined;
  const seconds = Number(timeout);
  if (seconds > 0 && seconds <= MAX_TIMEOUT_SEC) return Math.ceil(seconds * 1_000); // timers take whole ones
  throw new ClawkitError(
    "USAGE",
    `--timeout is a number of seconds up to ${MAX_TIMEOUT_SEC}: got ${timeout}`,
  );
}
