import { readFile } from "node:fs/promises";
import { setInText } from "../../config/edit.ts";
import { withoutSecrets } from "../../core/secrets.ts";
import { type ClientAddress, clientAddresses } from "../facts/client-addresses.ts";
import type { Target } from "../machine.ts";
import { changedKeys, factsNamed, has, replaceUnchanged } from "./shared.ts";
import type { Repair } from "./types.ts";

/** A file sends clients of this machine to where no gateway is, and one answers here. */
export const correctClientUrl: Repair = {
  id: "correct-client-url",
  helpsWith: ["wrong-url-or-port"],
  async plan({ machine, examination }) {
    const { target } = machine;
    const answers = has(examination, "healthz-ok", "upgrade-accepted");
    if (!answers || !target.isLocal || (await machine.configuredPort()) !== target.port) return undefined;
    const facts = factsNamed(examination, "client-url-wrong");
    const wrong = (await clientAddresses(machine)).filter(({ path, name }) =>
      facts.some(({ source, detail }) => source === path && detail.startsWith(`${name} `)),
    );
    if (wrong.length === 0) return undefined;
    const files = [...new Set(wrong.map(({ path }) => path))];
    const edits = await Promise.all(
      files.map(async (path) => {
        const before = await readFile(path, "utf8");
        const after = wrong.reduce(
          (text, one) => (one.path === path ? one.withUrl(text, moved(one, target)) : text),
          before,
        );
        return { path, before, after };
      }),
    );
    return {
      what: `send clients to ${target.url} (${wrong.map(({ name, path }) => `${name} in ${path}`).join(", ")})`,
      risk: "disruptive",
      files,
      diff: wrong.map((one) => `~ ${one.name}: ${shown(one.url)} → ${shown(moved(one, target))}`),
      apply: async () => {
        for (const { path, before, after } of edits) await replaceUnchanged(path, before, after);
      },
    };
  },
};

/** OpenClaw's proxy may leave its own gateway's loopback address alone: NO_PROXY it clears. */
export const excludeLoopback: Repair = {
  id: "exclude-loopback",
  helpsWith: ["proxy-captures-loopback"],
  async plan({ examination }) {
    const [fact] = factsNamed(examination, "openclaw-proxy-captures");
    if (fact === undefined) return undefined;
    const path = fact.source;
    const text = await readFile(path, "utf8");
    const mended = setInText(text, ["proxy", "loopbackMode"], '"gateway-only"');
    return {
      what: `keep connections to this machine's gateway out of OpenClaw's proxy (proxy.loopbackMode in ${path})`,
      risk: "disruptive",
      files: [path],
      diff: changedKeys(text, mended, ["proxy.loopbackMode"]),
      apply: () => replaceUnchanged(path, text, mended),
    };
  },
};

/** The same path and query (some clients carry their token there) at the gateway's address. */
function moved({ url }: ClientAddress, { url: gateway }: Target): string {
  if (!URL.canParse(url)) return gateway;
  const { pathname, search, username, password } = new URL(url);
  if (pathname === "/" && search === "" && username === "") return gateway;
  const next = new URL(gateway);
  return Object.assign(next, { pathname, search, username, password }).href;
}

function shown(url: string): string {
  return withoutSecrets(url);
}
