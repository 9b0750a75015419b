import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { parseConfig } from "../../config/parse.ts";
import { redact } from "../../config/redact.ts";
import { messageOf } from "../../core/errors.ts";
import { readConfigGetParams } from "../schemas.ts";
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
      const hash = createHash("sha256").update(text).digest("hex");
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
        return { path, exists: true, valid: false, hash, config: {}, issues: messageOf(error).split("\n") };
      }
    },
  }),
};
