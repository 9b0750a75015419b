import { removeFromText, setInText } from "./edit.ts";

/** Whether it has names of its own, in which a merge patch goes on. */
function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `text` behind a JSON merge patch (RFC 7396: null takes a key out, a list is replaced), comments and layout of the rest kept. */
export function patchText(text: string, patch: Readonly<Record<string, unknown>>): string {
  return patchAt(text, [], patch);
}

function patchAt(text: string, path: readonly string[], patch: Readonly<Record<string, unknown>>): string {
  return Object.entries(patch).reduce((rest, [key, value]) => {
    const at = [...path, key];
    if (value === null) return removeFromText(rest, at);
    return isObject(value) ? patchAt(rest, at, value) : setInText(rest, at, JSON.stringify(value));
  }, text);
}
