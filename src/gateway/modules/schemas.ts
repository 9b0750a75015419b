const TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"];

/** Keywords of JSON Schema 2020-12 that hold one schema, a list of them, or an object of them. */
const ONE = ["items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"];
const LISTS = ["anyOf", "allOf", "oneOf", "prefixItems"];
const MAPS = ["properties", "patternProperties", "$defs", "dependentSchemas"];

/**
 * What makes a schema let through what it was meant to stop: the validator takes a type that there is none of for no rule at all, and a
 * pattern for an error only when a value comes to it.
 */
export function schemaProblem(schema: unknown, where: string): string | undefined {
  if (typeof schema === "boolean") return undefined;
  if (typeof schema !== "object" || schema === null || Array.isArray(schema))
    return `${where} must be a JSON Schema, not ${JSON.stringify(schema)}`;
  const known = schema as Record<string, unknown>;
  const types = known.type === undefined ? [] : [known.type].flat();
  const wrong = types.find((type) => !TYPES.includes(type as string));
  if (wrong !== undefined)
    return `${where}.type must be one of ${TYPES.join(", ")}, not ${JSON.stringify(wrong)}`;
  const patterns = [known.pattern ?? [], Object.keys(known.patternProperties ?? {})].flat();
  const broken = patterns.find((pattern) => !isPattern(pattern));
  if (broken !== undefined) return `${where}.pattern is no regular expression: ${JSON.stringify(broken)}`;
  const inner: [string, unknown][] = [
    ...ONE.filter((key) => key in known).map((key): [string, unknown] => [key, known[key]]),
    ...LISTS.flatMap((key) => entriesOf(key, known[key])),
    ...MAPS.flatMap((key) => entriesOf(key, known[key])),
  ];
  for (const [key, value] of inner) {
    const problem = schemaProblem(value, `${where}.${key}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function entriesOf(key: string, value: unknown): [string, unknown][] {
  return Object.entries(value ?? {}).map(([name, inner]) => [`${key}.${name}`, inner]);
}

/** As the validator reads it. */
function isPattern(pattern: unknown): boolean {
  try {
    new RegExp(pattern as string, "u");
    return typeof pattern === "string";
  } catch {
    return false;
  }
}

/** It takes longer to load than all the rest of a module's process: gateway and clients do not wait for it. */
export function loadValidator(): Promise<typeof import("typebox/value")> {
  loading ??= import("typebox/value");
  return loading;
}

let loading: Promise<typeof import("typebox/value")> | undefined;

/** What is wrong with a value; undefined if it fits the schema. */
export async function problemOf(schema: object, value: unknown): Promise<string | undefined> {
  const { Value } = await loadValidator();
  if (Value.Check(schema, value)) return undefined;
  const [first] = Value.Errors(schema, value);
  return `${first?.instancePath || "(root)"}: ${first?.message ?? "invalid"}`;
}
