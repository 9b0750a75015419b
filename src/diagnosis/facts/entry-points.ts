import { stat } from "node:fs/promises";
import { isAbsolute, win32 } from "node:path";
import { findOnPath } from "../../host/path-search.ts";
import type { ServiceFacts } from "../../host/types.ts";
import type { Look, Machine } from "../machine.ts";
import type { Fact } from "../types.ts";
import { type Install, installsOf, packageOf } from "./installs.ts";
import { isInRange, nodeVersion } from "./node-version.ts";

const NODE = /(^|[/\\])node(\.exe)?$/i;

/** What services start, and whether it is there, is the one of the shell, and has a Node that it runs on. */
export const entryPoints: Look = {
  id: "entry-points",
  what: "what services and the shell start",
  async look(machine) {
    const installs = (await machine.isOpenClaw()) ? await installsOf(machine) : [];
    const services = (await machine.services()) ?? [];
    const found = await Promise.all([
      ...services.map((service) => factsOfService(service, installs[0], machine)),
      factsOfShell(installs[0], machine),
    ]);
    return found.flat();
  },
};

async function factsOfService(
  { name, manager, command, isRunning }: ServiceFacts,
  ofShell: Install | undefined,
  machine: Machine,
): Promise<Fact[]> {
  const [program, ...args] = command ?? [];
  // what runs has been there; where it is started anew is for its next start to say
  if (program === undefined || isRunning) return [];
  const script = NODE.test(program) ? args.find((arg) => !arg.startsWith("-")) : undefined;
  for (const path of [program, script]) {
    if (path === undefined || !isPath(path) || (await isThere(path))) continue;
    return [
      { id: "service-entry-missing", detail: `${name} starts ${path}, which is not there`, source: manager },
    ];
  }
  const facts: Fact[] = [];
  const own = await packageOf(script ?? program);
  if (own.version !== undefined && ofShell?.version !== undefined && own.version !== ofShell.version) {
    const detail = `${name} starts version ${own.version} in ${own.folder}, and the shell finds ${ofShell.version} at ${ofShell.path}`;
    facts.push({ id: "service-entry-elsewhere", detail, source: manager });
  }
  if (script !== undefined) facts.push(...(await nodeFacts(program, own, `${name} (${manager})`, machine)));
  return facts;
}

/** A link to a script runs with the first Node of the PATH; a script of its own may name any. */
async function factsOfShell(install: Install | undefined, machine: Machine): Promise<Fact[]> {
  if (install?.entry === undefined || !/\.[cm]?js$/.test(install.entry)) return [];
  const [node] = await findOnPath(machine.platform === "win32" ? "node.exe" : "node", machine.env.PATH);
  return node === undefined ? [] : await nodeFacts(node, install, install.path, machine);
}

async function nodeFacts(
  node: string,
  { version, nodeRange }: Partial<Install>,
  source: string,
  { uid }: Machine,
): Promise<Fact[]> {
  if (nodeRange === undefined) return [];
  const has = await nodeVersion(node, uid);
  if (has === undefined || isInRange(has, nodeRange) !== false) return [];
  const detail = `${node} is Node ${has}, and OpenClaw ${version} needs ${nodeRange}`;
  return [{ id: "node-not-supported", detail, source }];
}

function isPath(text: string): boolean {
  return isAbsolute(text) || win32.isAbsolute(text);
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    // one that may not be looked at is none that is missing
    (error: NodeJS.ErrnoException) => error.code !== "ENOENT" && error.code !== "ENOTDIR",
  );
}
