import { readFile } from "node:fs/promises";
import { parseConfig } from "../../config/parse.ts";
import { redact } from "../../config/redact.ts";
import { configSchema } from "../../config/schema.ts";
import { messageOf } from "../../core/errors.ts";
import { VERSION } from "../../core/version.ts";
import { readConfigGetParams, readConfigPatchParams, readConfigSchemaParams } from "../schemas.ts";
import { hashOf, patchConfig } from "./config-patch.ts";
import { method } from "./index.ts";

export const configMethods = {
  "config.get": method({
    scope: "operator.read",
    runs: "apart",
    read: (params) => readConfigGetParams(params ?? {}),
    run: async (_params, _session, context) => {
      const path = context.settings.configPath;
      const text = await readFile(path, "utf8").catch(() => undefined);
      if (text === undefined) return { path, exists: false, valid: true, config: {}, issues: [] };
      const hash = hashOf(text);
      try {
        return {
          path,
          exists: true,
          valid: true,
          hash,
          config: redact(parseConfig({ path, text })),
          issues: [],
        };
      } catch (error) {
        // clients read nothing else; each message says where
        const issues = messageOf(error)
          .split("\n")
          .map((message) => ({ path: "", message }));
        return { path, exists: true, valid: false, hash, config: {}, issues };
      }
    },
  }),

  "config.schema": method({
    scope: "operator.read",
    read: (params) => readConfigSchemaParams(params ?? {}),
    run: (_params, _session, { clock }) => ({
      schema: configSchema,
      uiHints: {},
      version: VERSION,
      generatedAt: new Date(clock.wall()).toISOString(),
    }),
  }),

  "config.patch": method({
    scope: "operator.admin",
    isWork: true,
    runs: "external",
    read: readConfigPatchParams,
    run: (params, _session, { settings }) => patchConfig(settings.configPath, params),
  }),
};
