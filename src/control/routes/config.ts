import { redact } from "../../config/redact.ts";
import type { Route } from "../route.ts";

export const configRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/config",
    what: "the config in force, without its secrets",
    handle: async ({ deps }) => ({ apiVersion: 1, config: redact(await deps.config()) }),
  },
];
