import { isIP } from "node:net";
import { isAddressRange } from "../core/address-ranges.ts";
import { ClawkitError } from "../core/errors.ts";
import { type ConfigSource, type Defaults, parseConfig } from "./parse.ts";
import type { Config } from "./schema.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The config in force: the file's text with the environment's overrides, checked for safety.
 * Throws CONFIG_UNPARSABLE, CONFIG_INVALID or CONFIG_UNSAFE.
 */
export function resolveConfig(source: ConfigSource, env: Environment): Config {
  const config = parseConfig(source, defaultsFor(env));
  const port = portFromEnvironment(env);
  const variable = tokenVariable(env);
  const token = variable && env[variable];
  const merged: Config = {
    ...config,
    gateway: {
      ...config.gateway,
      ...(port === undefined ? {} : { port }),
      auth: { ...config.gateway.auth, ...(token ? { token } : {}) },
    },
  };
  checkSafety(merged, source.path);
  return merged;
}

/** A container is reached from outside it only: a gateway on its loopback would serve nobody. */
export function defaultsFor(env: Environment): Defaults {
  return env.CLAWKIT_CONTAINER === "1" ? { bind: "lan" } : {};
}

/**
 * The addresses the edge binds, in order. IPv6 ones may be missing on this machine. In the place of an OpenClaw one
 * address means loopback too, as there: its command line connects to it.
 */
export function bindAddresses(bind: string, isOpenclaw = false): { address: string; isOptional: boolean }[] {
  if (bind === "loopback") {
    return [
      { address: "127.0.0.1", isOptional: false },
      { address: "::1", isOptional: true },
    ];
  }
  if (bind === "lan") {
    return [
      { address: "0.0.0.0", isOptional: false },
      { address: "::", isOptional: true },
    ];
  }
  const hosts = isOpenclaw && !isLoopbackBind(bind) && bind !== "0.0.0.0" ? [bind, "127.0.0.1"] : [bind];
  return hosts.map((address) => ({ address, isOptional: false }));
}

export function isLoopbackBind(bind: string): boolean {
  return bind === "loopback" || bind === "::1" || bind.startsWith("127.");
}

/** The variable that overrides the file's token; an empty one does not (`docker run -e` without a value). */
export function tokenVariable(env: Environment): string | undefined {
  return ["CLAWKIT_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_TOKEN"].find((name) => env[name]);
}

/** The port that the environment asks for, if it does. */
export function portFromEnvironment(env: Environment): number | undefined {
  const text = env.CLAWKIT_GATEWAY_PORT;
  if (!text) return undefined;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new ClawkitError(
      "CONFIG_INVALID",
      `CLAWKIT_GATEWAY_PORT must be a whole number from 1 to 65535, not ${JSON.stringify(text)}`,
    );
  }
  return port;
}

/** A name or address with or without a port, as it stands in `Host`. */
function isHost(text: string): boolean {
  return /^([\w-]+(\.[\w-]+)*|\[[0-9a-f:.]+\])(:\d{1,5})?$/i.test(text);
}

function checkSafety(config: Config, path: string): void {
  const { bind, auth, upstream, trustedProxies } = config.gateway;
  const fail = (message: string) => {
    throw new ClawkitError("CONFIG_UNSAFE", `${path}: ${message}`);
  };
  if (bind !== "loopback" && bind !== "lan" && isIP(bind) === 0) {
    fail(`gateway.bind must be "loopback", "lan" or an IP address, not ${JSON.stringify(bind)}`);
  }
  for (const [key, ranges] of [
    ["gateway.trustedProxies", trustedProxies],
    ["console.allowFrom", config.console.allowFrom],
  ] as const) {
    const wrong = ranges.find((range) => !isAddressRange(range));
    if (wrong !== undefined) {
      fail(`${key} must list IP addresses or CIDR ranges, not ${JSON.stringify(wrong)}`);
    }
  }
  const wrongHost = config.console.hosts.find((host) => !isHost(host));
  if (wrongHost !== undefined) {
    fail(`console.hosts must list names such as "box" or "box:8080", not ${JSON.stringify(wrongHost)}`);
  }
  if (upstream.type === "url" && !URL.canParse(upstream.url)) {
    fail(`gateway.upstream.url must be a ws:// or wss:// URL, not ${JSON.stringify(upstream.url)}`);
  }
  const wrongModule = config.gateway.modules.find((path) => !/\.[cm]?[jt]s$/.test(path));
  if (wrongModule !== undefined) {
    fail(
      `gateway.modules must list .ts, .mts, .js or .mjs files such as "./my-methods.ts", not ${JSON.stringify(wrongModule)}`,
    );
  }
  const urls = [...config.alerts.webhooks.map(({ url }) => url), config.alerts.heartbeat.url];
  if (urls.some((url) => url !== undefined && !URL.canParse(url))) {
    fail("alerts.webhooks[].url and alerts.heartbeat.url must be http:// or https:// URLs"); // secrets: not shown
  }
  if (upstream.type === "builtin") {
    if (auth.mode === "token" && auth.token === undefined) {
      fail("gateway.auth.token is missing: set it, or remove the file to get a new one");
    }
    if (auth.mode === "password" && auth.password === undefined) {
      fail("gateway.auth.password is missing: set it, or set gateway.auth.mode to token");
    }
  }
  if (isLoopbackBind(bind)) return;
  if (upstream.type === "builtin") {
    if (auth.mode === "none") {
      fail(`gateway.bind ${bind} needs authentication: set gateway.auth.mode to token or password`);
    }
  } else if (upstream.type !== "openclaw" && upstream.trustsEdge !== true) {
    fail(
      `gateway.bind ${bind} needs a gateway that authenticates its clients and reads X-Forwarded-For: ` +
        "if yours does, set gateway.upstream.trustsEdge to true",
    );
  }
}
