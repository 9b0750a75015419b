import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TObject, type TSchema, Type } from "typebox";
import { describeExpected } from "../src/config/parse.ts";
import { configSchema } from "../src/config/schema.ts";
import { allRoutes } from "../src/control/routes/index.ts";
import { causes } from "../src/core/causes.ts";
import { closeCodes } from "../src/core/close-codes.ts";
import { errorCodes } from "../src/core/errors.ts";
import { ROOT } from "./run.ts";

/** Tables of the docs that are made from the code, between `<!-- generated:NAME -->` and `<!-- /generated -->`. */
export const generated: Readonly<Record<string, { file: string; rows: () => string[][] }>> = {
  config: { file: "docs/config.md", rows: () => [["key", "default", "value", "meaning"], ...configRows()] },
  "close-codes": {
    file: "docs/close-codes.md",
    rows: () => [
      ["code", "name", "when", "the client should retry"],
      ...closeCodes.map(({ code, name, use, retry }) => [String(code), name, use, retry]),
    ],
  },
  causes: {
    file: "docs/causes.md",
    rows: () => [
      ["cause", "meaning"],
      ...Object.entries(causes).map(([id, meaning]) => [`\`${id}\``, meaning]),
    ],
  },
  "control-api": {
    file: "docs/control-api.md",
    rows: () => [
      ["method", "path", "what"],
      ...allRoutes.map(({ method, path, what }) => [method, `\`${path}\``, what]),
    ],
  },
  errors: {
    file: "docs/errors.md",
    rows: () => [
      ["code", "exit", "meaning"],
      ...Object.entries(errorCodes).map(([code, { exit, meaning }]) => [code, String(exit), meaning]),
    ],
  },
};

/** The file's text with its table as the code has it. */
export function withTable(text: string, name: string, rows: readonly string[][]): string {
  const pattern = new RegExp(`(<!-- generated:${name} -->\n)[\\s\\S]*?(<!-- /generated -->)`);
  if (!pattern.test(text)) throw new Error(`there is no section generated:${name}`);
  return text.replace(pattern, (_, start, end) => `${start}${markdownTable(rows)}${end}`);
}

function markdownTable([header, ...rows]: readonly string[][]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return line(header!) + line(header!.map(() => "---")) + rows.map(line).join("");
}

function configRows(schema: TObject = configSchema, path: readonly string[] = []): string[][] {
  return Object.entries(schema.properties).flatMap(([key, property]) => rowsOf(property, [...path, key]));
}

function rowsOf(schema: TSchema, path: readonly string[]): string[][] {
  if (Type.IsObject(schema)) return configRows(schema, path);
  const name = `\`${path.join(".")}\``;
  const { default: preset, description } = schema as { default?: unknown; description?: string };
  const shown = preset === undefined ? "" : `\`${JSON.stringify(preset)}\``;
  const variants = Type.IsUnion(schema) ? schema.anyOf.filter((variant) => Type.IsObject(variant)) : [];
  if (variants.length === 0) return [[name, shown, describeExpected(schema), description ?? ""]];
  const rows = variants.map((variant) => {
    const shape = Object.entries(variant.properties).map(([key, inner]) => {
      const { const: literal } = inner as { const?: string };
      return `${key}${Type.IsOptional(inner) ? "?" : ""}: ${literal === undefined ? describeExpected(inner) : `"${literal}"`}`;
    });
    const about = (variant as { description?: string }).description ?? "";
    return [name, "", `\`{ ${shape.join(", ")} }\``, about];
  });
  return [[name, shown, "one of the following", description ?? ""], ...rows];
}

if (import.meta.main) {
  const isWriting = process.argv.includes("--write");
  let stale = 0;
  for (const [name, { file, rows }] of Object.entries(generated)) {
    const path = join(ROOT, file);
    const text = readFileSync(path, "utf8");
    const expected = withTable(text, name, rows());
    if (text === expected) continue;
    if (isWriting) writeFileSync(path, expected);
    else {
      console.error(`${file} is not in step with the code: run npm run docs`);
      stale++;
    }
  }
  process.exit(stale === 0 ? 0 : 1);
}
