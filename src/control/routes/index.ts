import { ApiError } from "../api-error.ts";
import type { Route } from "../route.ts";
import { configRoutes } from "./config.ts";
import { connectionRoutes } from "./connections.ts";
import { doctorRoutes } from "./doctor.ts";
import { eventRoutes } from "./events.ts";
import { explainRoutes } from "./explain.ts";
import { hardenRoutes } from "./harden.ts";
import { incidentRoutes } from "./incidents.ts";
import { logRoutes } from "./logs.ts";
import { overviewRoutes } from "./overview.ts";
import { playbookRoutes } from "./playbooks.ts";
import { sessionRoutes } from "./session.ts";

/** Everything that can be asked; docs/control-api.md has the same list. */
export const allRoutes: readonly Route[] = [
  ...sessionRoutes,
  ...overviewRoutes,
  ...connectionRoutes,
  ...incidentRoutes,
  ...doctorRoutes,
  ...explainRoutes,
  ...playbookRoutes,
  ...hardenRoutes,
  ...logRoutes,
  ...eventRoutes,
  ...configRoutes,
];

const matchers = allRoutes.map((route) => ({ route, parts: route.path.split("/") }));

/** The route of a request, with its parameters. Throws NOT_FOUND, METHOD_NOT_ALLOWED. */
export function findRoute(method: string, path: string): { route: Route; params: Record<string, string> } {
  const parts = path.split("/");
  let isPath = false;
  for (const { route, parts: pattern } of matchers) {
    const params = matchOf(pattern, parts);
    if (params === undefined) continue;
    if (route.method === method) return { route, params };
    isPath = true;
  }
  if (isPath) throw new ApiError("METHOD_NOT_ALLOWED", `${method.slice(0, 20)} is not for this path`);
  throw new ApiError("NOT_FOUND", "There is no such endpoint: see docs/control-api.md");
}

function matchOf(pattern: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const given = parts[index]!;
    if (!part.startsWith(":")) {
      if (part !== given) return undefined;
      continue;
    }
    // ids of ours have nothing that a URL would escape
    if (!/^[\w.-]{1,200}$/.test(given)) return undefined;
    params[part.slice(1)] = given;
  }
  return params;
}
