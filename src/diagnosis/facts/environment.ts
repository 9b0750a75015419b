import type { Look, Target } from "../machine.ts";
import type { Fact } from "../types.ts";

/** Node takes the variable of the scheme that is asked for, small letters first (nodejs.org, "Built-in Proxy Support"). */
const PROXY_NAMES = { plain: ["HTTP_PROXY", "http_proxy"], tls: ["HTTPS_PROXY", "https_proxy"] };

/** Variables that move a client elsewhere, or change its Node. Their values may hold secrets and are not shown. */
export const environment: Look = {
  id: "environment",
  what: "the environment",
  async look({ env, target }) {
    const facts: Fact[] = [];
    const add = (id: string, detail: string) => facts.push({ id, detail, source: "environment" });
    const url = env.OPENCLAW_GATEWAY_URL;
    if (url !== undefined && url !== "") {
      if (!URL.canParse(url)) add("url-variable-broken", "OPENCLAW_GATEWAY_URL is no URL");
      else {
        const { host, protocol } = new URL(url);
        const isHere = isLoopbackHost(new URL(url).hostname) && target.isLocal;
        const isElsewhere = portOf(new URL(url)) !== target.port;
        if (!isHere) add("url-variable-remote", `OPENCLAW_GATEWAY_URL sends clients to ${host}`);
        else if (isElsewhere) add("url-variable-elsewhere", `OPENCLAW_GATEWAY_URL sends clients to ${host}`);
        else if ((protocol === "wss:") !== target.isTls) {
          add("url-variable-scheme", `OPENCLAW_GATEWAY_URL says ${protocol}//`);
        }
      }
    }
    const proxy = PROXY_NAMES[target.isTls ? "tls" : "plain"].find((name) => env[name]);
    if (proxy !== undefined && target.isLocal && !isExcluded(env.no_proxy || env.NO_PROXY || "", target)) {
      add("proxy-without-exclusion", `${proxy} is set, and NO_PROXY does not exclude ${target.host}`);
    }
    // Node's own clients use a proxy only when they are told to; OpenClaw's logs say when it does
    const isInForce = env.NODE_USE_ENV_PROXY === "1" || /--use-env-proxy/.test(env.NODE_OPTIONS ?? "");
    if (proxy !== undefined && isInForce)
      add("proxy-in-force", "Node is told to use the proxy of the environment");
    const heap = /--max[-_]old[-_]space[-_]size=(\d+)/.exec(env.NODE_OPTIONS ?? "")?.[1];
    if (heap !== undefined && Number(heap) < 256) {
      add("heap-limit-low", `NODE_OPTIONS limits the heap to ${heap} MB`);
    }
    return facts;
  },
};

/** Hosts of NO_PROXY stand between commas or blanks, with or without a port (nodejs.org, "NO_PROXY format"). */
export function isExcluded(list: string, { host, port }: Target): boolean {
  const own = ["*", host, `${host}:${port}`, ...(host === "127.0.0.1" ? ["127.0.0.0/8"] : [])];
  return list.split(/[,\s]+/).some((part) => own.includes(part));
}

function isLoopbackHost(name: string): boolean {
  const host = name.replace(/^\[|\]$/g, "");
  return host === "localhost" || host === "::1" || /^127\./.test(host);
}

function portOf(url: URL): number {
  return url.port === "" ? (url.protocol === "wss:" ? 443 : 80) : Number(url.port);
}
