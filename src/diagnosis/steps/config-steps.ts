import type { Config } from "../../config/schema.ts";
import { sentence } from "./sentence.ts";
import type { ConfigStep, Step, StepAnswer } from "./types.ts";

export const configSteps: readonly Step[] = [
  config("gateway.auth", ofAuth),
  config("gateway.upstream", ofUpstream),
  config("gateway.keepalive", ofKeepalive),
  config("supervisor.hangRestartSec", ofValue),
  config("supervisor.startTimeoutSec", ofValue),
  {
    kind: "environment",
    command:
      /^(env \| grep -c GATEWAY_TOKEN|set \| find \/c "GATEWAY_TOKEN"|@\(Get-ChildItem Env:\*GATEWAY_TOKEN\*\)\.Count)$/,
    tell: ofVariables,
  },
];

function config(key: string, tell: ConfigStep["tell"]): Step {
  return {
    kind: "config",
    command: new RegExp(`^clawkit config get ${key.replace(".", "\\.")}$`),
    key,
    tell,
  };
}

function ofAuth(value: unknown): StepAnswer {
  const { mode } = value as Config["gateway"]["auth"];
  const means = {
    token: "clients of the built-in gateway need the token of gateway.auth.token",
    password: "clients of the built-in gateway need the password of gateway.auth.password",
    none: "the built-in gateway asks its clients for nothing",
  }[mode];
  return { found: linesOf(value), means: sentence(means) };
}

function ofUpstream(value: unknown): StepAnswer {
  const upstream = value as Config["gateway"]["upstream"];
  const means = {
    builtin: "the edge sends clients to the built-in gateway of this machine",
    command: "the edge sends clients to a program that ClawKit starts here",
    openclaw: "the edge sends clients to the OpenClaw that ClawKit starts here",
    url: "the gateway runs elsewhere, and nobody here can see its process",
  }[upstream.type];
  return { found: linesOf(value), means: sentence(means) };
}

function ofKeepalive(value: unknown): StepAnswer {
  const { enabled, intervalSec, timeoutSec } = value as Config["gateway"]["keepalive"];
  const means = enabled
    ? `clients are pinged after ${intervalSec} s of silence, and have ${timeoutSec} s to answer`
    : "clients are not pinged, so idle connections may be dropped on their way";
  return { found: linesOf(value), means: sentence(means) };
}

function ofValue(value: unknown, preset: unknown): StepAnswer {
  const means = value === preset ? `it is ${value}, the default` : `it is ${value}; the default is ${preset}`;
  return { found: [String(value)], means: sentence(means) };
}

function ofVariables(names: readonly string[]): StepAnswer {
  const [first] = names;
  if (first === undefined) {
    return {
      found: ["0"],
      means: "No such variable is in the environment of ClawKit; a shell of yours may have one.",
    };
  }
  return {
    found: [String(names.length), ...names],
    means: sentence(`${names.join(" and ")} in the environment of ClawKit counts more than the config`),
  };
}

function linesOf(value: unknown): string[] {
  return Object.entries(value as object).map(([key, inner]) => `${key}: ${JSON.stringify(inner)}`);
}
