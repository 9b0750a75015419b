import type { Method, Scope } from "../../module/index.ts";
import { DEFAULT_TIMEOUT_MS, type Declared, MAX_TIMEOUT_MS } from "./messages.ts";
import { problemOf, schemaProblem } from "./schemas.ts";

export interface Definition extends Declared {
  readonly run: Method["run"];
  /** What is wrong with parameters; undefined if they fit. */
  readonly problemOf: (params: unknown) => Promise<string | undefined>;
}

/** With a dot: names without one are the gateway's own. */
const NAME = /^[A-Za-z][\w-]*(\.[A-Za-z][\w-]*)+$/;
const MAX_NAME = 64;

const MAX_METHODS = 100;

const SCOPES: readonly Scope[] = [
  "operator.read",
  "operator.write",
  "operator.admin",
  "operator.pairing",
  "node",
];

const KEYS = ["scope", "external", "params", "timeoutMs", "run"];

/** Reads what a module exports. Throws a sentence about the first thing that is wrong with it. */
export function readDefinitions(exported: unknown): Map<string, Definition> {
  if (!isRecord(exported)) {
    throw new TypeError(
      `its default export must be an object of methods, not ${kindOf(exported)}: export default { "notes.add": { … } }`,
    );
  }
  const entries = Object.entries(exported);
  if (entries.length === 0) throw new TypeError("its default export has no methods");
  if (entries.length > MAX_METHODS)
    throw new RangeError(`a module may have ${MAX_METHODS} methods, it has ${entries.length}`);
  return new Map(entries.map(([name, value]) => [name, readDefinition(name, value)]));
}

function readDefinition(name: string, value: unknown): Definition {
  if (!NAME.test(name) || name.length > MAX_NAME) {
    throw new TypeError(
      `the name of a method must be words joined by dots, such as notes.add, of at most ${MAX_NAME} characters, not ${JSON.stringify(name)}`,
    );
  }
  if (!isRecord(value)) throw new TypeError(`${name} must be an object, not ${kindOf(value)}`);
  const unknown = Object.keys(value).find((key) => !KEYS.includes(key));
  if (unknown !== undefined)
    throw new TypeError(`${name} has an unknown key ${unknown} (valid: ${KEYS.join(", ")})`);
  const { scope, external, params, timeoutMs = DEFAULT_TIMEOUT_MS, run } = value as Partial<Method>;
  if (scope === undefined || !SCOPES.includes(scope))
    throw new TypeError(`${name}.scope must be one of ${SCOPES.join(", ")}, not ${JSON.stringify(scope)}`);
  if (typeof external !== "boolean")
    throw new TypeError(
      `${name}.external must be true (it changes what outlives it) or false (it may be run again), not ${kindOf(external)}`,
    );
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > MAX_TIMEOUT_MS)
    throw new RangeError(
      `${name}.timeoutMs must be a whole number from 1 to ${MAX_TIMEOUT_MS}, not ${String(timeoutMs)}`,
    );
  if (typeof run !== "function") throw new TypeError(`${name}.run must be a function, not ${kindOf(run)}`);
  return { name, scope, external, timeoutMs, run: run.bind(value), problemOf: checkerOf(name, params) };
}

function checkerOf(name: string, params: unknown): Definition["problemOf"] {
  if (!isRecord(params) || params.type !== "object")
    throw new TypeError(`${name}.params must be a JSON Schema with type "object", not ${kindOf(params)}`);
  // a schema of another TypeBox has more in it than JSON
  const schema = JSON.parse(JSON.stringify(params)) as object;
  const problem = schemaProblem(schema, `${name}.params`);
  if (problem !== undefined) throw new TypeError(problem);
  return (value) => problemOf(schema, value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}
