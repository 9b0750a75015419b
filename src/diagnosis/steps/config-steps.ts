import type { Config } from "../../config/schema.ts";
import { sentence } from "./sentence.ts";
import type { ConfigStep, Step, StepAnswer } from "./types.ts";

export const configSteps: readonly Step[] = [
  get("gateway.auth", ofAuth),
  get("gateway.upstream", ofUpstream),
  get("gateway.keepalive", ofKeepalive),
  get("supervisor.hangRestartSec", (config, preset) =>
    ofNumber(config.supervisor.hangRestartSec, preset.supervisor.hangRestartSec),
  ),
  get("supervisor.startTimeoutSec", (config, preset) =>
    ofNumber(config.supervisor.startTimeoutSec, preset.supervisor.startTimeoutSec),
  ),
  {
    kind: "environment",
    command:
      /^(env \| grep -c GATEWAY_TOKEN|set \| find \/c "GATEWAY_TOKEN"|@\(Get-ChildItem Env:\*GATEWAY_TOKEN\*\)\.Count)$/,
    tell: ofVariables,
  },
];

function get(key: string, tell: ConfigStep["tell"]): Step {
  return { kind: "config", command: new RegExp(`^clawkit config get ${key.replace(".", "\\.")}$`), tell };
}

function ofAuth({ gateway: { auth, upstream } }: Config): StepAnswer {
  const ofOwn = {
    token: "clients need the token of gateway.auth.token",
    password: "clients need the password of gateway.auth.password",
    none: "clients are asked for nothing",
  }[auth.mode];
  const isOwn = upstream.type === "builtin";
  const means = isOwn ? ofOwn : "it is for the built-in gateway; the one here asks its clients by itself";
  return { found: linesOf(auth), means: sentence(means) };
}

function ofUpstream({ gateway: { upstream } }: Config): StepAnswer {
  const means = {
    builtin: "the edge sends clients to the built-in gateway of this machine",
    command: "the edge sends clients to a program that ClawKit starts here",
    openclaw: "the edge sends clients to the OpenClaw that ClawKit starts here",
    url: "the gateway runs elsewhere, and nobody here can see its process",
  }[upstream.type];
  return { found: linesOf(upstream), means: sentence(means) };
}

function ofKeepalive({ gateway: { keepalive } }: Config): StepAnswer {
  const { enabled, intervalSec, timeoutSec } = keepalive;
  const means = enabled
    ? `clients are pinged after ${intervalSec} s of silence, and have ${timeoutSec} s to answer`
    : "clients are not pinged, so idle connections may be dropped on their way";
  return { found: linesOf(keepalive), means: sentence(means) };
}

function ofNumber(value: number, preset: number): StepAnswer {
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
