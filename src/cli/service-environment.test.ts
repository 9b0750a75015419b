import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultConfig } from "../config/parse.ts";
import type { Config } from "../config/schema.ts";
import { refuseShellOnly } from "./service-environment.ts";

function configWith(gateway: Partial<Config["gateway"]>): Config {
  const config = defaultConfig();
  return { ...config, gateway: { ...config.gateway, ...gateway } };
}

/** What is refused, and with which advice; undefined if nothing is. */
function refusal(env: Record<string, string>, gateway: Partial<Config["gateway"]> = {}): string | undefined {
  try {
    refuseShellOnly(env, configWith(gateway));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

// The token was only in the environment. `gateway install` made a config with a new random one, and a unit that has
// no environment: every client was rejected from then on.
test("a token that only this shell has is refused, and where to put it is told without showing it", () => {
  for (const name of ["CLAWKIT_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_TOKEN"]) {
    const told = refusal({ [name]: "hunter22" });
    assert.match(
      told ?? "",
      new RegExp(`${name} is set.*clawkit config set gateway.auth.token "\\$${name}"`),
    );
    assert.doesNotMatch(told ?? "", /hunter22/);
  }
});

test("a token that the config has too is none of only this shell", () => {
  const auth = { mode: "token", token: "hunter22" } as const;
  assert.equal(refusal({ OPENCLAW_GATEWAY_TOKEN: "hunter22" }, { auth }), undefined);
  assert.match(refusal({ OPENCLAW_GATEWAY_TOKEN: "another" }, { auth }) ?? "", /OPENCLAW_GATEWAY_TOKEN/);
});

test("a token is nothing to a gateway of passwords, or to one that is elsewhere", () => {
  const env = { CLAWKIT_GATEWAY_TOKEN: "hunter22" };
  assert.equal(refusal(env, { auth: { mode: "password", password: "x" } }), undefined);
  assert.equal(refusal(env, { upstream: { type: "url", url: "ws://127.0.0.1:1" } }), undefined);
});

test("a command inherits the variable from a shell, and not from a service", () => {
  const told = refusal(
    { OPENCLAW_GATEWAY_TOKEN: "hunter22" },
    { upstream: { type: "command", command: ["openclaw"] } },
  );
  assert.match(told ?? "", /your gateway's own config/);
});

test("a port that the config does not have is refused", () => {
  assert.match(refusal({ CLAWKIT_GATEWAY_PORT: "28001" }) ?? "", /clawkit config set gateway.port 28001/);
  assert.equal(refusal({ CLAWKIT_GATEWAY_PORT: "28001" }, { port: 28001 }), undefined);
  assert.equal(refusal({}), undefined);
});

test("what makes it another OpenClaw is refused: a service would start the one of nobody's shell", () => {
  const upstream = { type: "openclaw" } as const;
  for (const name of ["OPENCLAW_STATE_DIR", "OPENCLAW_HOME", "OPENCLAW_GATEWAY_TOKEN"]) {
    const told = refusal({ [name]: "hunter22" }, { upstream });
    assert.match(told ?? "", new RegExp(`${name} is set.*clawkit gateway start`));
    assert.doesNotMatch(told ?? "", /hunter22/);
  }
  assert.equal(refusal({ OPENCLAW_STATE_DIR: "/x" }), undefined, "its own gateway has no such folder");
  assert.equal(refusal({}, { upstream }), undefined);
});
