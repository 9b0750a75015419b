import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { setInText } from "../../config/edit.ts";
import { parseConfig, parseJson5 } from "../../config/parse.ts";
import { redact } from "../../config/redact.ts";
import { defaultsFor, resolveConfig } from "../../config/resolve.ts";
import type { Config } from "../../config/schema.ts";
import { ClawkitError } from "../../core/errors.ts";
import { ensureConfig, readConfigSource, writeConfig } from "../config-file.ts";
import type { CliContext } from "../context.ts";

interface Options {
  readonly json?: boolean;
}

/** Prints the value in force at `key`, or the whole config, secrets redacted. */
export async function configGet(
  context: CliContext,
  key: string | undefined,
  options: Options,
): Promise<number> {
  const source = await readConfigSource(context.paths);
  const config = redact(parseConfig(source, defaultsFor(context.env)));
  const value = key === undefined ? config : valueAt(config, key.split("."));
  if (value === undefined)
    throw new ClawkitError("USAGE", `There is no config key ${key}: see clawkit config get`);
  if (options.json || typeof value === "object") context.out.json(value);
  else context.out.line(String(value));
  return 0;
}

/** Sets `key` to a JSON5 value, keeping comments and layout; nothing is written unless the result is valid. */
export async function configSet(
  context: CliContext,
  key: string,
  literal: string,
  options: Options,
): Promise<number> {
  const { source } = await ensureConfig(context.paths);
  parseConfig(source); // an edit on top of a broken file would hide what broke it
  const text = setInText(source.text, key.split("."), asLiteral(literal));
  resolveConfig({ path: source.path, text }, context.env);
  await writeConfig(context.paths, text);
  if (options.json) context.out.json({ ok: true, key, path: source.path });
  else
    context.out.line(
      `${key} is set in ${source.path}; it takes effect with: ${context.name} gateway restart --all`,
    );
  return 0;
}

export async function configValidate(context: CliContext, options: Options): Promise<number> {
  const source = await readConfigSource(context.paths);
  if (source.text !== "") await refuseMissingModules(resolveConfig(source, context.env), source.path);
  if (options.json) context.out.json({ ok: true, path: source.path });
  else if (source.text === "")
    context.out.line(`${source.path} does not exist yet: the defaults are in force`);
  else context.out.line(`${source.path} is valid`);
  return 0;
}

export function configPath(context: CliContext, options: Options): number {
  if (options.json) context.out.json({ path: context.paths.config });
  else context.out.line(context.paths.config);
  return 0;
}

/** A start goes on without them; who asks whether all is well wants to know. */
async function refuseMissingModules({ gateway }: Config, configFile: string): Promise<void> {
  for (const name of gateway.modules) {
    const path = resolve(dirname(configFile), name);
    const facts = await stat(path).catch(() => undefined);
    if (!facts?.isFile()) {
      throw new ClawkitError(
        "CONFIG_INVALID",
        `${configFile}: gateway.modules names ${name}, and ${path} is no file: correct it, or take it out`,
      );
    }
  }
}

/** JSON5 as given; a bare word that is no JSON5 is taken for a string, as a shell user would expect. */
function asLiteral(text: string): string {
  try {
    parseJson5({ path: "value", text });
    return text.trim() === "" ? '""' : text;
  } catch {
    return JSON.stringify(text);
  }
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (isObject(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined),
    value,
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
