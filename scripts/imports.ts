import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { ROOT } from "./run.ts";

/** Who may import whom (docs/architecture.md): a folder imports folders of lower levels, and itself. */
const LEVELS: Readonly<Record<string, number>> = {
  client: 0,
  module: 0,
  core: 0,
  config: 1,
  protocol: 1,
  policy: 1,
  host: 2,
  recorder: 2,
  edge: 3,
  gateway: 3,
  supervisor: 3,
  diagnosis: 3,
  probe: 3,
  adopt: 4,
  services: 3,
  control: 4,
  cli: 5,
  bin: 6,
};

/** Modules that only some folders may use. */
const RESERVED: Readonly<Record<string, readonly string[]>> = {
  "node:sqlite": ["recorder", "gateway"],
  "node:child_process": ["supervisor", "host", "bin"],
};

/** Folders that take bytes and `now` and return events: no sockets, no timers, no process. */
const PURE = ["core", "protocol", "policy", "config", "client"];
const IMPURE = /^node:(net|http|https|tls|fs|dgram|child_process|timers)(\/|$)/;
// isIP and BlockList: pure functions
const ALLOWED_IN_PURE = new Set(["config/resolve.ts node:net", "core/address-ranges.ts node:net"]);

/** Breaches of one source file, as sentences. `path` is relative to src. */
export function breachesOf(path: string, text: string): string[] {
  const folder = path.split("/")[0]!;
  const level = LEVELS[folder];
  if (level === undefined) return [`${path}: folder ${folder} has no level in scripts/imports.ts`];
  const breaches: string[] = [];
  for (const specifier of importsOf(text)) {
    if (specifier.startsWith(".")) {
      const target = normalize(join(dirname(path), specifier));
      const other = target.split("/")[0]!;
      if (target.startsWith("..") || other === folder) continue; // package.json
      const otherLevel = LEVELS[other];
      if (otherLevel === undefined || otherLevel >= level) {
        breaches.push(`${path} imports ${target}: ${folder} (level ${level}) may only import lower levels`);
      }
      continue;
    }
    const allowed = RESERVED[specifier];
    if (allowed !== undefined && !allowed.includes(folder)) {
      breaches.push(`${path} imports ${specifier}: only ${allowed.join(", ")} may`);
    }
    if (PURE.includes(folder) && IMPURE.test(specifier) && !ALLOWED_IN_PURE.has(`${path} ${specifier}`)) {
      breaches.push(`${path} imports ${specifier}: ${folder} does no I/O`);
    }
  }
  // the host says what this machine is: whose process this is, and its environment
  const code = folder === "host" ? text.replace(/process\.(env|getuid)/g, "") : text;
  if (folder !== "bin" && /(?<![-.\w"'`#])process\.(?!md)\w/.test(withoutComments(code))) {
    breaches.push(`${path} uses process.*: only bin may`);
  }
  return breaches;
}

/** The console knows of the rest only the control API's types. */
export function consoleBreachesOf(path: string, text: string): string[] {
  const foreign = importsOf(text).filter(
    (specifier) =>
      specifier.startsWith(".") &&
      !normalize(join(dirname(path), specifier))
        .replaceAll("\\", "/")
        .startsWith("console/src/"),
  );
  const outside = foreign.filter((specifier) => !specifier.endsWith("/src/control/contract.ts"));
  const isTypesOnly = !/^import \{[^}]*\} from "[^"]*\/src\/control\/contract\.ts"/m.test(text);
  return [
    ...outside.map(
      (specifier) => `${path} imports ${specifier}: the console imports src/control/contract.ts only`,
    ),
    ...(isTypesOnly ? [] : [`${path} imports more than types of the contract: use import type`]),
  ];
}

function importsOf(text: string): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1]!);
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
}

if (import.meta.main) {
  const files = globSync("src/**/*.ts", { cwd: ROOT }).filter((path) => !path.endsWith(".test.ts"));
  const breaches = files.flatMap((path) =>
    breachesOf(relative("src", path).replaceAll("\\", "/"), readFileSync(join(ROOT, path), "utf8")),
  );
  const pages = globSync("console/src/**/*.{ts,tsx}", { cwd: ROOT });
  breaches.push(...pages.flatMap((path) => consoleBreachesOf(path, readFileSync(join(ROOT, path), "utf8"))));
  for (const breach of breaches) console.error(breach);
  console.log(`${files.length + pages.length} files, ${breaches.length} breaches`);
  process.exit(breaches.length === 0 ? 0 : 1);
}
