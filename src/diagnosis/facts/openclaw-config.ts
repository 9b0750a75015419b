import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { parseJson5 } from "../../config/parse.ts";
import { messageOf, systemErrorCode } from "../../core/errors.ts";
import type { Look } from "../machine.ts";
import type { Fact } from "../types.ts";

/** What `gateway.mode` may be (OpenClaw 2026.9.6). */
const KNOWN_MODES = ["local", "remote"];

/** The real OpenClaw's config, read only. */
export const openclawConfig: Look = {
  id: "openclaw-config",
  what: "OpenClaw's config",
  async look(machine) {
    if (!(await machine.isOpenClaw())) return [];
    const { openclawConfigPath: path, target } = machine;
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return [];
      if (systemErrorCode(error) === "EACCES") {
        return [{ id: "openclaw-config-unreadable", detail: messageOf(error), source: path }];
      }
      throw error;
    }
    const facts: Fact[] = [];
    const add = (id: string, detail: string) => facts.push({ id, detail, source: path });
    let config: unknown;
    try {
      config = parseJson5({ path, text });
    } catch (error) {
      add("openclaw-config-broken", messageOf(error));
      return facts;
    }
    if (text.includes("__OPENCLAW_REDACTED__")) {
      add("redacted-written", "__OPENCLAW_REDACTED__ stands where a secret was");
    }
    const gateway = (config as { gateway?: Record<string, unknown> } | null)?.gateway;
    const mode = gateway?.mode;
    if (mode === undefined)
      add("openclaw-mode-unset", "gateway.mode is not set: a start is refused (exit 78)");
    else if (!KNOWN_MODES.includes(String(mode))) {
      add("openclaw-mode-unknown", `gateway.mode is ${JSON.stringify(mode)}, not "local" or "remote"`);
    }
    const auth = gateway?.auth as { mode?: unknown } | undefined;
    if (["lan", "custom", "tailnet"].includes(String(gateway?.bind)) && auth?.mode === "none") {
      add("openclaw-bind-unsafe", `gateway.bind is ${gateway?.bind} and gateway.auth.mode is none`);
    }
    const missing = addressMissing(gateway);
    if (missing !== undefined) add("openclaw-address-missing", missing);
    const port = gateway?.port;
    if (typeof port === "number" && port !== target.port && target.isLocal) {
      add("openclaw-other-port", `gateway.port is ${port}, and port ${target.port} was asked`);
    }
    const remote = (gateway?.remote as { url?: unknown } | undefined)?.url;
    if (mode === "remote" && typeof remote === "string") {
      add("openclaw-remote", `this machine is a client of ${withoutUserInfo(remote)}`);
    }
    return facts;
  },
};

/** Addresses that Tailscale gives (RFC 6598: 100.64.0.0/10). */
const TAILNET = /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./;

/** The address that it should listen on and that no interface has, now. */
function addressMissing(gateway: Record<string, unknown> | undefined): string | undefined {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const { bind, customBindHost: host } = gateway ?? {};
  if (bind === "tailnet" && !own.some(({ address }) => TAILNET.test(address))) {
    return "gateway.bind is tailnet, and no interface has an address of Tailscale's";
  }
  const isAbsent = typeof host === "string" && host !== "0.0.0.0" && !own.some((one) => one.address === host);
  if (bind !== "custom" || !isAbsent) return undefined;
  return `gateway.customBindHost is ${host}, which is no address of this machine`;
}

function withoutUserInfo(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "another machine";
}
