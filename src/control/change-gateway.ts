import type { Status } from "../core/control.ts";
import { ClawkitError } from "../core/errors.ts";
import type { ChangingStep, StepAnswer } from "../diagnosis/steps/types.ts";
import type { ControlDeps } from "./deps.ts";
import { recordAction } from "./record-action.ts";
import type { Call } from "./route.ts";

type Verb = ChangingStep["verb"];

/** Restarts, starts or stops the gateway by our own command line, if somebody asked for that; else says what it would do. */
export async function changeGateway(
  { deps, jobs, session }: Pick<Call, "deps" | "jobs" | "session">,
  verb: Verb,
  isConfirmed: boolean,
): Promise<StepAnswer & { readonly needsConfirm?: boolean }> {
  if (!isConfirmed) {
    const would = wouldDo(verb, await deps.status(), deps.mode);
    return { found: [would], means: "Nothing was done: it waits for your yes.", needsConfirm: true };
  }
  await recordAction(deps, session, `asked for gateway ${verb}`);
  const job = jobs.start(["gateway", verb]);
  if (verb === "stop" && deps.mode === "edge") {
    // this process ends with it, and could not answer afterwards
    return {
      found: ["it is being stopped"],
      means: "The console ends with it: clawkit console opens another.",
    };
  }
  try {
    return done(verb, (await job.result) as Status);
  } catch (error) {
    if (!(error instanceof ClawkitError)) throw error;
    return { found: [error.message], means: `It failed: gateway ${verb} was not done.` };
  }
}

function wouldDo(
  verb: Verb,
  { state, port, connections, gateway }: Status,
  mode: ControlDeps["mode"],
): string {
  const told = `${connections} ${connections === 1 ? "client is" : "clients are"} told 1012`;
  if (state === "foreign" && verb !== "stop") return `it would fail: another program has port ${port}`;
  if (state === "stopped" || state === "foreign") {
    return verb === "stop"
      ? "nothing runs: nothing would change"
      : `it would start the gateway on port ${port}`;
  }
  const all = mode === "edge" ? "the gateway, its edge and this console" : "the gateway and its edge";
  if (verb === "stop") return `it would end ${all}: ${told}, and stay away`;
  const pid = gateway.pid === null ? "" : ` (pid ${gateway.pid})`;
  if (verb === "restart") return `it would restart the gateway${pid}: ${told}, and come back`;
  return state === "healthy"
    ? "the gateway runs already: nothing would change"
    : "it would wait until the gateway is ready";
}

function done(verb: Verb, { state, url, gateway, reason }: Status): StepAnswer {
  const where = url === null ? "" : ` at ${url}`;
  const found = [`${state}${where}${gateway.pid === null ? "" : `, gateway pid ${gateway.pid}`}`];
  if (verb === "stop") return { found, means: "The gateway is stopped, and its port is free." };
  const isServed = state === "healthy";
  const means = isServed ? `Clients are served${where}.` : `Clients are not served: ${reason ?? state}.`;
  return { found, means };
}
