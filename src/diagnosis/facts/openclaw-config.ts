import { readFile } from "node:fs/promises";
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

function withoutUserInfo(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "another machine";
}
