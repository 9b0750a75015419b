import { newSecret } from "../../core/secrets.ts";
import type { Advice, Own } from "./types.ts";

/** 22 characters of base64url are 128 bits. */
const MIN_SECRET_CHARS = 22;

/** A secret of the built-in gateway that can be guessed, or none. */
export function authAdvice({ config, file, machine, set }: Own): Advice {
  const { auth, upstream } = config.gateway;
  const base = {
    id: "auth",
    title: "Clients prove who they are",
    reason: "whoever reaches the port can otherwise use the gateway, any program of this machine included",
  };
  if (upstream.type !== "builtin")
    return { ...base, current: "left to the gateway behind the edge", state: "ok" };
  const variable = ["CLAWKIT_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_TOKEN"].find((name) => machine.env[name]);
  const isNone = auth.mode === "none";
  const secret = auth.mode === "password" ? auth.password : auth.token;
  const isWeak = !isNone && !isStrong(secret);
  if (!isNone && !isWeak) return { ...base, current: auth.mode, state: "ok" };
  const current = isWeak
    ? `${auth.mode}, its secret has fewer than ${MIN_SECRET_CHARS} characters`
    : auth.mode;
  if (isWeak && auth.mode === "token" && variable !== undefined) {
    const command = `${variable} overrides the config: set it to a longer one, or unset it`;
    return { ...base, current, state: "yours", command };
  }
  const key = `gateway.auth.${auth.mode === "password" ? "password" : "token"}`;
  const mode: Record<string, string> = isNone ? { "gateway.auth.mode": '"token"' } : {};
  const needsSecret = isWeak || !isStrong(file.gateway.auth.token);
  const values = needsSecret ? { ...mode, [key]: JSON.stringify(newSecret()) } : mode;
  return {
    ...base,
    current,
    state: "change",
    plan: set(values, { risk: "disruptive", secret: [key] }),
    afterwards: `clients need it from the next start on: read ${key} in ${machine.paths.config} (clawkit config get does not show it)`,
  };
}

export function isStrong(secret: unknown): boolean {
  return typeof secret === "string" && secret.length >= MIN_SECRET_CHARS;
}
