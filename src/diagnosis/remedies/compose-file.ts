import { isDeepStrictEqual } from "node:util";
import type { Document, Pair, Scalar, YAMLMap, YAMLSeq } from "yaml";

/** One thing that a service of a compose file should say. */
export type ComposeChange =
  | {
      readonly kind: "set";
      readonly key: "restart" | "network_mode" | "container_name";
      readonly value: string;
    }
  /** An entry of `ports`. */
  | { readonly kind: "publish"; readonly port: string }
  /** Where its command, or its environment, tells the gateway to listen on loopback. */
  | { readonly kind: "bind"; readonly value: string };

const LOOPBACK = /loopback|localhost|127\.0\.0\.1/;

/**
 * A compose file with these changes of one of its services; everything else stays as it is, to the byte. Undefined if
 * it cannot be read, has no such service, or is written in a way (flow style) that we do not edit.
 */
export async function patchCompose(
  text: string,
  service: string,
  changes: readonly ComposeChange[],
): Promise<string | undefined> {
  // only who repairs a compose file pays for the parser
  const yaml = await import("yaml");
  let mended = text;
  for (const change of changes) {
    const document = yaml.parseDocument(mended);
    const at = serviceIn(document, service, yaml);
    if (at === undefined) return undefined;
    const next = withChange(mended, at, change, yaml);
    if (next === undefined || !isMended(yaml.parseDocument(next), service, change)) return undefined;
    mended = next;
  }
  return mended;
}

/** What a service says under a key; undefined if it says nothing, or the file cannot be read. */
export async function composeValue(text: string, service: string, key: string): Promise<unknown> {
  const { parseDocument } = await import("yaml");
  return valueIn(parseDocument(text, { merge: true }), service, key);
}

/** Services beside this one that a change of the file changes, too: they merge it (`<<: *gateway`), or extend it. */
export async function changedBeside(before: string, after: string, service: string): Promise<string[]> {
  const { parseDocument } = await import("yaml");
  const [old, now] = [before, after].map((text) => servicesIn(parseDocument(text, { merge: true })));
  return Object.keys({ ...old, ...now }).filter((name) => {
    if (name === service) return false;
    const extended = now![name]?.extends;
    const from =
      typeof extended === "object" ? (extended as { service?: unknown } | null)?.service : extended;
    return from === service || !isDeepStrictEqual(old![name], now![name]);
  });
}

/** Whether a compose file has this service. */
export async function hasService(text: string, service: string): Promise<boolean> {
  const yaml = await import("yaml");
  return serviceIn(yaml.parseDocument(text), service, yaml) !== undefined;
}

type Yaml = typeof import("yaml");

function serviceIn(document: Document, service: string, yaml: Yaml): YAMLMap | undefined {
  if (document.errors.length > 0) return undefined;
  const found = document.getIn(["services", service]);
  return yaml.isMap(found) && found.items.length > 0 && found.flow !== true ? found : undefined;
}

function valueIn(document: Document, service: string, key: string): unknown {
  return servicesIn(document)[service]?.[key];
}

function servicesIn(document: Document): Record<string, Record<string, unknown> | null> {
  if (document.errors.length > 0) return {};
  const value = document.toJS({ maxAliasCount: 100 }) as { services?: ReturnType<typeof servicesIn> } | null;
  return value?.services ?? {};
}

function withChange(text: string, service: YAMLMap, change: ComposeChange, yaml: Yaml): string | undefined {
  switch (change.kind) {
    case "set":
      return withValue(text, service, change.key, change.value, yaml);
    case "publish":
      return withPort(text, service, change.port, yaml);
    case "bind":
      return withBind(text, service, change.value, yaml);
  }
}

function isMended(document: Document, service: string, change: ComposeChange): boolean {
  if (change.kind === "set") return valueIn(document, service, change.key) === change.value;
  if (change.kind === "bind") return document.errors.length === 0;
  const ports = valueIn(document, service, "ports");
  return Array.isArray(ports) && ports.includes(change.port);
}

function withValue(
  text: string,
  service: YAMLMap,
  key: string,
  value: string,
  yaml: Yaml,
): string | undefined {
  const there = service.get(key, true);
  const written = /^[\w-]+$/.test(value) ? quotedIfWord(value) : JSON.stringify(value);
  if (there === undefined) return withLines(text, service, [`${key}: ${written}`], yaml);
  return yaml.isScalar(there) ? replaced(text, there, written) : undefined;
}

function withPort(text: string, service: YAMLMap, port: string, yaml: Yaml): string | undefined {
  const ports = service.get("ports", true);
  if (ports === undefined) return withLines(text, service, ["ports:", `  - "${port}"`], yaml);
  if (!yaml.isSeq(ports) || ports.range == null) return undefined;
  const first = (ports as YAMLSeq<{ range?: [number, number, number] | null }>).items[0]?.range?.[0];
  if (ports.flow === true) {
    const at = ports.range[0] + 1;
    return `${text.slice(0, at)}"${port}"${first === undefined ? "" : ", "}${text.slice(at)}`;
  }
  const line = lineStart(text, ports.range[0]);
  const indent = text.slice(line, ports.range[0]);
  return `${text.slice(0, line)}${indent}- "${port}"${eolOf(text)}${text.slice(line)}`;
}

/** In the arguments after `--bind`, or in the environment: whatever names loopback there becomes `value`. */
function withBind(text: string, service: YAMLMap, value: string, yaml: Yaml): string | undefined {
  const told = [...bindArguments(service.get("command", true), yaml), ...bindVariables(service, yaml)];
  const scalar = told.find((one) => LOOPBACK.test(String(one.value)));
  if (scalar?.range == null) return undefined;
  const [from, to] = scalar.range;
  const source = text.slice(from, to);
  const inCommand = /(--bind[= ]\s*)(loopback|localhost|127\.0\.0\.1)/;
  const mended = inCommand.test(source)
    ? source.replace(inCommand, `$1${value}`)
    : source.replace(LOOPBACK, value);
  return text.slice(0, from) + mended + text.slice(to);
}

function bindArguments(command: unknown, yaml: Yaml): Scalar[] {
  if (yaml.isScalar(command)) return /--bind[= ]/.test(String(command.value)) ? [command] : [];
  if (!yaml.isSeq(command)) return [];
  const args = command.items.filter((item) => yaml.isScalar(item));
  return args.filter(
    ({ value }, index) => String(value).startsWith("--bind=") || args[index - 1]?.value === "--bind",
  );
}

function bindVariables(service: YAMLMap, yaml: Yaml): Scalar[] {
  const environment = service.get("environment", true);
  if (yaml.isMap(environment)) {
    const value = environment.get("OPENCLAW_GATEWAY_BIND", true);
    return yaml.isScalar(value) ? [value] : [];
  }
  if (!yaml.isSeq(environment)) return [];
  return environment.items.filter(
    (item): item is Scalar => yaml.isScalar(item) && String(item.value).startsWith("OPENCLAW_GATEWAY_BIND="),
  );
}

/** Behind the service's first line if that is one (`image: …`), else in front of it. */
function withLines(text: string, service: YAMLMap, lines: readonly string[], yaml: Yaml): string | undefined {
  const first = service.items[0] as Pair<{ range?: [number, number, number] | null }, unknown>;
  const keyAt = first.key.range?.[0];
  if (keyAt === undefined) return undefined;
  const start = lineStart(text, keyAt);
  const indent = text.slice(start, keyAt);
  if (indent.trim() !== "") return undefined; // behind something else on its line
  const { value } = first;
  const isOneLine = yaml.isScalar(value) && value.type?.startsWith("BLOCK_") !== true;
  const end = isOneLine ? text.indexOf("\n", value.range![1]) : -1;
  const at = end === -1 ? start : end + 1;
  const added = lines.map((line) => indent + line + eolOf(text)).join("");
  return text.slice(0, at) + added + text.slice(at);
}

function replaced(text: string, { range }: Scalar, written: string): string | undefined {
  return range == null ? undefined : text.slice(0, range[0]) + written + text.slice(range[1]);
}

/** `no` is a boolean to YAML 1.1, which Compose reads. */
function quotedIfWord(value: string): string {
  return /^(no|yes|on|off|true|false)$/i.test(value) ? `"${value}"` : value;
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

function eolOf(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}
