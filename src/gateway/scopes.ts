import { ErrorCodes, GatewayErrorDetailCodes } from "@openclaw/gateway-protocol/gateway-error-details";
import type { ErrorShape } from "./frames.ts";

export type Role = "operator" | "node";

/** By which others a scope is included, as the real gateway has it (operator-scope-compat of 2026.9.6). */
const INCLUDED_IN: Readonly<Record<string, readonly string[]>> = {
  "operator.read": ["operator.write"],
  "operator.talk": ["operator.write"],
  "operator.sessions.write": ["operator.write"],
  "operator.sessions.read": ["operator.sessions.write", "operator.read", "operator.write"],
};

/** Whether whoever was granted these scopes has this one. Admin has all of operators, and none that is something else's. */
export function includesScope(granted: readonly string[], scope: string): boolean {
  if (granted.includes(scope)) return true;
  const including = scope.startsWith("operator.") ? ["operator.admin", ...(INCLUDED_IN[scope] ?? [])] : [];
  return including.some((one) => granted.includes(one));
}

/** The first of `wanted` that `granted` does not include. */
export function missingScope(granted: readonly string[], wanted: readonly string[]): string | undefined {
  return wanted.find((scope) => !includesScope(granted, scope));
}

export function missingScopeError(scope: string): ErrorShape {
  const details = {
    code: GatewayErrorDetailCodes.MISSING_SCOPE,
    missingScope: scope,
    requiredScopes: [scope],
  };
  return { code: ErrorCodes.FORBIDDEN, message: `missing scope: ${scope}`, details };
}
