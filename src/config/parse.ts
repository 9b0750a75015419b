import { evaluate } from "@humanwhocodes/momoa";
import leven from "leven";
import { type TObject, type TSchema, Type } from "typebox";
import { Value } from "typebox/value";
import { ClawkitError } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import { parseTree } from "./json5.ts";
import { locate } from "./locate.ts";
import { REDACTED } from "./redact.ts";
import { type Config, configSchema } from "./schema.ts";

/** Where a config text came from, for error messages. */
export interface ConfigSource {
  readonly path: string;
  readonly text: string;
}

/** Defaults that are not the same everywhere. */
export interface Defaults {
  readonly bind?: string;
}

/**
 * Reads a config: JSON5 text → validated config with every default filled in.
 * Throws CONFIG_UNPARSABLE or CONFIG_INVALID, naming file, line, key, what was expected and the nearest valid key.
 */
export function parseConfig(source: ConfigSource, defaults: Defaults = {}): Config {
  const value = parseJson5(source);
  const problems = findProblems(value, source);
  if (problems.length > 0) {
    throw new ClawkitError("CONFIG_INVALID", problems.join("\n"));
  }
  return withDefaults(value, defaults);
}

/** The config of an empty file. */
export function defaultConfig(): Config {
  return withDefaults({}, {});
}

/** Evaluates JSON5 text, or throws CONFIG_UNPARSABLE with the line and column. */
export function parseJson5(source: ConfigSource): unknown {
  if (source.text.trim() === "") return {};
  try {
    return evaluate(parseTree(source.text));
  } catch (cause) {
    const at = cause instanceof Error && "line" in cause ? `:${cause.line}` : "";
    throw new ClawkitError(
      "CONFIG_UNPARSABLE",
      `Cannot read the config as ${source.path}${at} is not JSON5: ${json5Problem(cause)}`,
      { cause },
    );
  }
}

/** What the parser found, and where; of the text, which may hold secrets, a character at most. */
export function json5Problem(error: unknown): string {
  if (error instanceof RangeError) return "its objects and lists are nested too deeply";
  return printable(error instanceof Error ? error.message : String(error));
}

/**
 * OpenClaw drains its work for up to 315 s before it ends, and a start with migrations takes minutes
 * (gateway-shutdown-budget.mjs of 2026.9.6; knowledge: openclaw.md).
 */
const OPENCLAW_TIMES = { stopGraceSec: 330, hangRestartSec: 330, startTimeoutSec: 300 };

function withDefaults(value: unknown, defaults: Defaults): Config {
  // Default fills objects in only where they exist: build the sections first
  const filled = fillSections(configSchema, value) as Partial<Config>;
  const isOpenclaw = filled.gateway?.upstream?.type === "openclaw";
  const supervisor = isOpenclaw ? { ...OPENCLAW_TIMES, ...filled.supervisor } : filled.supervisor;
  const gateway = { ...defaults, ...filled.gateway };
  return Value.Default(configSchema, { ...filled, gateway, supervisor }) as Config;
}

function fillSections(schema: TObject, value: unknown): unknown {
  if (value !== undefined && (typeof value !== "object" || value === null)) return value;
  const filled: Record<string, unknown> = { ...value };
  for (const [key, property] of Object.entries(schema.properties)) {
    if (Type.IsObject(property) && !Type.IsOptional(property)) {
      filled[key] = fillSections(property, filled[key]);
    }
  }
  return filled;
}

/** Every problem of a config value, one line each, the first in the file first. */
function findProblems(value: unknown, source: ConfigSource): string[] {
  const problems: { line: number; text: string }[] = [];
  const add = (path: readonly string[], text: string) => {
    const line = locate(source.text, path);
    problems.push({ line, text: `${source.path}:${line}: ${text}` });
  };
  checkNode(configSchema, value, [], add);
  return problems.sort((a, b) => a.line - b.line).map((problem) => problem.text);
}

type AddProblem = (path: readonly string[], text: string) => void;

/** Walks schema and value together: unions by their `type`, so that the message is about the kind that was meant. */
function checkNode(schema: TSchema, value: unknown, path: readonly string[], add: AddProblem): void {
  if (Type.IsUnion(schema)) {
    const variants = schema.anyOf.filter((variant) => Type.IsObject(variant));
    if (variants.length > 0) return checkVariants(variants, value, path, add);
  }
  if (Type.IsObject(schema)) return checkObject(schema, value, path, add);
  if (Type.IsArray(schema) && Type.IsObject(schema.items) && Array.isArray(value)) {
    const { items } = schema;
    return value.forEach((item, index) => {
      checkNode(items, item, [...path, String(index)], add);
    });
  }
  if (value === REDACTED) {
    add(path, `${path.join(".")} is ${REDACTED}: that stands in place of a secret and is none`);
  } else if (!Value.Check(schema, value)) {
    const name = path.join(".");
    add(path, `${name} must be ${describeExpected(schema)}, not ${describeValue(name, value)}`);
  }
}

function checkVariants(variants: TObject[], value: unknown, path: readonly string[], add: AddProblem): void {
  const names = variants.map((variant) => (variant.properties.type as { const?: string }).const ?? "");
  if (!isRecord(value)) {
    return add(path, `${path.join(".")} must be an object with a type (${names.join(", ")})`);
  }
  const chosen = variants[names.indexOf(String(value.type))];
  if (chosen === undefined) {
    return add(
      [...path, "type"],
      `${path.join(".")}.type must be one of ${names.join(", ")}, not ${JSON.stringify(value.type)}${nearest(String(value.type), names)}`,
    );
  }
  checkObject(chosen, value, path, add);
}

function checkObject(schema: TObject, value: unknown, path: readonly string[], add: AddProblem): void {
  const name = path.length === 0 ? "the config" : path.join(".");
  if (!isRecord(value)) return add(path, `${name} must be an object, not ${kindOf(value)}`);
  const known = Object.keys(schema.properties);
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      add([...path, key], `unknown key ${[...path, key].join(".")}${nearest(key, known)}`);
    }
  }
  for (const [key, property] of Object.entries(schema.properties)) {
    if (value[key] !== undefined) checkNode(property, value[key], [...path, key], add);
    else if (schema.required?.includes(key) && !("default" in property) && !Type.IsObject(property)) {
      add(path, `${[...path, key].join(".")} is missing: it must be ${describeExpected(property)}`);
    }
  }
}

/** "integer from 1 to 65535", "one of …", from the schema. */
export function describeExpected(schema: TSchema): string {
  if (Type.IsUnion(schema)) {
    return `one of ${schema.anyOf.map((variant) => JSON.stringify((variant as { const?: unknown }).const)).join(", ")}`;
  }
  const { type, minimum, maximum, pattern, minLength } = schema as {
    type?: string;
    minimum?: number;
    maximum?: number;
    pattern?: string;
    minLength?: number;
  };
  if (Type.IsArray(schema)) {
    const items = `${(schema.items as { type?: string }).type}s`;
    return (schema as { minItems?: number }).minItems
      ? `a list of at least one of ${items}`
      : `a list of ${items}`;
  }
  let text = type === "integer" ? "a whole number" : `a ${type}`;
  if (minimum !== undefined && maximum !== undefined) text += ` from ${minimum} to ${maximum}`;
  if (minLength !== undefined) text += ` of at least ${minLength} characters`;
  if (pattern !== undefined) text += ` matching ${pattern}`;
  return text;
}

/** A text is not shown: it may be a secret that stands one level too high. */
function kindOf(value: unknown): string {
  return typeof value === "string" ? "a string" : describeValue("", value);
}

const SECRET_KEY = /(token|password|secret|key)$/i;

/** Shows a wrong value, unless its key is one that holds secrets. */
function describeValue(name: string, value: unknown): string {
  if (SECRET_KEY.test(name) || name.startsWith("alerts.")) return `a ${typeof value} (not shown)`;
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** A typo is rarely more than this far from what was meant. */
const MAX_TYPO_DISTANCE = 3;

function nearest(word: string, candidates: readonly string[]): string {
  const ranked = candidates.map((candidate) => ({ candidate, distance: leven(word, candidate) }));
  const best = ranked.sort((a, b) => a.distance - b.distance)[0];
  if (best === undefined || best.distance > MAX_TYPO_DISTANCE) {
    return ` (valid: ${candidates.join(", ")})`;
  }
  return `: did you mean ${best.candidate}?`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
