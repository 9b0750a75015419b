import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { ErrorCodes } from "@openclaw/gateway-protocol/gateway-error-details";
import { parseConfig, parseJson5 } from "../../config/parse.ts";
import { patchText } from "../../config/patch.ts";
import { redact } from "../../config/redact.ts";
import { messageOf, systemErrorCode } from "../../core/errors.ts";
import { writeFileAtomic } from "../../host/files.ts";
import { MethodError } from "../frames.ts";
import type { ConfigPatchParams } from "../schemas.ts";

/** One after the other: each is judged by what the one before left. */
let lastPatch: Promise<unknown> = Promise.resolve();

/** Changes our own config, if it is what the client has read; the one before is kept beside it. A start takes it up. */
export function patchConfig(path: string, params: ConfigPatchParams): Promise<object> {
  const patch = lastPatch.then(() => patchNow(path, params));
  lastPatch = patch.catch(() => undefined);
  return patch;
}

async function patchNow(path: string, { raw, baseHash }: ConfigPatchParams): Promise<object> {
  const before = await readIfThere(path);
  if (before !== undefined && baseHash !== hashOf(before)) {
    throw invalid(
      baseHash === undefined
        ? "config base hash required; re-run config.get and retry"
        : "config changed since last load; re-run config.get and retry",
    );
  }
  const text = patched(path, before ?? "", raw);
  const result = { ok: true, path, hash: hashOf(text), config: redact(parseConfig({ path, text })) };
  if (text === before) return { ...result, noop: true };
  const backup = `${path}.before-patch`;
  if (before !== undefined) await writeFileAtomic(backup, before);
  await writeFileAtomic(path, text);
  return {
    ...result,
    ...(before === undefined ? {} : { backup }),
    // a running gateway keeps the config that it was started with
    restart: { required: true, command: "clawkit gateway restart --all" },
  };
}

/** Throws INVALID_REQUEST for what is no patch, or would leave a config that no start accepts. */
function patched(path: string, text: string, raw: string): string {
  try {
    const patch = parseJson5({ path: "the patch", text: raw });
    if (typeof patch !== "object" || patch === null || Array.isArray(patch))
      throw new Error("config.patch raw must be an object");
    const next = patchText(text, patch as Record<string, unknown>);
    parseConfig({ path, text: next });
    return next;
  } catch (error) {
    throw invalid(messageOf(error));
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function invalid(message: string): MethodError {
  return new MethodError({ code: ErrorCodes.INVALID_REQUEST, message });
}

export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
