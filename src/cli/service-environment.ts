import type { Environment } from "../config/resolve.ts";
import type { Config } from "../config/schema.ts";
import { ClawkitError } from "../core/errors.ts";

const TOKENS = ["CLAWKIT_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_TOKEN"];

/** With another value of these it is another OpenClaw, or one that does not know its clients any more. */
export const OPENCLAW_ONLY = [
  "OPENCLAW_STATE_DIR",
  "OPENCLAW_CONFIG_PATH",
  "OPENCLAW_HOME",
  "OPENCLAW_GATEWAY_TOKEN",
  "OPENCLAW_GATEWAY_PASSWORD",
];

/** Refuses what this shell's variables override: a service does not see them, and would serve others than now. */
export function refuseShellOnly(env: Environment, config: Config): void {
  const { port, auth, upstream } = config.gateway;
  const fail = (variable: string, put: string): never => {
    throw new ClawkitError(
      "SERVICE_UNAVAILABLE",
      `Cannot install a service: ${variable} in this shell, which a service does not see. ${put}`,
    );
  };
  const { CLAWKIT_GATEWAY_PORT: shellPort } = env;
  if (shellPort && Number(shellPort) !== port) {
    fail(
      `CLAWKIT_GATEWAY_PORT is ${shellPort}`,
      `Put it into the config: clawkit config set gateway.port ${shellPort}`,
    );
  }
  const other = upstream.type === "openclaw" ? OPENCLAW_ONLY.find((variable) => env[variable]) : undefined;
  if (other !== undefined) {
    fail(
      `${other} is set`,
      "It would start another OpenClaw, or one that knows its clients no more: start it by hand, with clawkit gateway start",
    );
  }
  const name = TOKENS.find((variable) => env[variable]);
  if (name === undefined) return;
  if (upstream.type === "command") {
    fail(
      `${name} is set`,
      `Put the token into your gateway's own config (openclaw config set gateway.auth.token "$${name}"), and unset ${name}`,
    );
  }
  const isUsed = upstream.type === "builtin" && auth.mode === "token";
  if (isUsed && env[name] !== auth.token) {
    fail(
      `${name} is set`,
      `Put it into the config, which only you can read: clawkit config set gateway.auth.token "$${name}"`,
    );
  }
}
