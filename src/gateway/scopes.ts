import { ErrorCodes, GatewayErrorDetailCodes } from "@openclaw/gateway-protocol/gateway-error-details";
import type { ErrorShape } from "./frames.ts";

export type Role = "operator" | "node";

/** Admin may do everything, and whoever may write may read. */
const INCLUDED_IN: Readonly<Record<string, readonly string[]>> = {
  "operator.read": ["operator.read", "operator.write", "operator.admin"],
};

/** Whether whoever was granted these scopes has this one. */
export function includesScope(granted: readonly string[], scope: string): boolean {
  return (INCLUDED_IN[scope] ?? [scope, "operator.admin"]).some((one) => granted.includes(one));
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
