/** The value at a key such as `gateway.hold.maxSec`; undefined if there is none. */
export function valueAt(value: unknown, key: string): unknown {
  return key
    .split(".")
    .reduce<unknown>(
      (inner, part) => (isObject(inner) && Object.hasOwn(inner, part) ? inner[part] : undefined),
      value,
    );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
