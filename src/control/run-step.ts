import { parseConfig } from "../config/parse.ts";
import { redact } from "../config/redact.ts";
import type { Config } from "../config/schema.ts";
import { ClawkitError, messageOf } from "../core/errors.ts";
import type { Examination } from "../diagnosis/doctor.ts";
import { answerOf } from "../diagnosis/playbook-here.ts";
import type { ConfigStep, LogStep, OwnStep, Step, StepAnswer } from "../diagnosis/steps/types.ts";
import { LOG_SOURCES, LogFile } from "../host/log-files.ts";
import { changeGateway } from "./change-gateway.ts";
import type { DoctorReport } from "./contract.ts";
import type { ControlDeps } from "./deps.ts";
import type { Jobs } from "./jobs.ts";
import { lastLines } from "./log-query.ts";
import type { Call } from "./route.ts";

/** Lines of the logs that are looked through. */
const MAX_LINES = 1_000;

/** Answers a step of a playbook. Throws BUSY while the doctor, or a repair, is at work for somebody else. */
export async function answerStep(
  call: Call,
  step: Step,
  isConfirmed: boolean,
): Promise<StepAnswer & { readonly needsConfirm?: boolean }> {
  const { deps, jobs } = call;
  switch (step.kind) {
    case "facts":
      return answerOf(step, examinationOf(await jobs.examine()));
    case "own":
      return await ownAnswer(step, deps, jobs);
    case "logs":
      return await logAnswer(step, deps);
    case "config":
      return await configAnswer(step, deps);
    case "environment":
      return step.tell(deps.variables.filter((name) => name.includes("GATEWAY_TOKEN")));
    case "changes":
      return await changeGateway(call, step.verb, isConfirmed);
  }
}

export function examinationOf({ verdict, causes, facts, notLooked }: DoctorReport): Examination {
  return { diagnosis: { verdict, causes }, facts, notLooked };
}

async function ownAnswer({ args, tell }: OwnStep, deps: ControlDeps, jobs: Jobs): Promise<StepAnswer> {
  const [verb, how] = args;
  if (verb === "doctor") return tell(await jobs.examine(how === "--deep" ? how : "--verbose"), deps);
  try {
    return tell(await jobs.json([...args, "--json"]), deps);
  } catch (error) {
    if (error instanceof ClawkitError && error.code === "NOTHING_RECORDED") return tell(undefined, deps);
    throw error;
  }
}

async function logAnswer({ source, sinceMs, tell }: LogStep, deps: ControlDeps): Promise<StepAnswer> {
  const sources = source === "all" ? LOG_SOURCES : [source];
  const after = sinceMs === undefined ? "" : new Date(deps.clock.wall() - sinceMs).toISOString();
  const files = sources.map((one) => new LogFile(one, deps.logsDir));
  const query = {
    sources,
    stream: "all",
    level: "info",
    text: "",
    after,
    before: "~",
    limit: MAX_LINES,
  } as const;
  return tell(await lastLines(files, query), deps);
}

async function configAnswer({ tell }: ConfigStep, deps: ControlDeps): Promise<StepAnswer> {
  let config: Config;
  try {
    config = await deps.config();
  } catch (error) {
    return { found: messageOf(error).split("\n"), means: "The config cannot be used as it is." };
  }
  // some defaults are another upstream's
  const { upstream } = config.gateway;
  const preset = parseConfig({ path: "", text: JSON.stringify({ gateway: { upstream } }) });
  return tell(redact(config) as Config, preset);
}
