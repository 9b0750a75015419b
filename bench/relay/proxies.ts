import { clawkit } from "./proxies/clawkit.ts";
import { direct } from "./proxies/direct.ts";
import { haproxy } from "./proxies/haproxy.ts";
import { nginx } from "./proxies/nginx.ts";
import type { ProxyEntry } from "./proxies/proxy.ts";

/** In the order of the table's columns. */
export const proxies: readonly ProxyEntry[] = [direct, haproxy, nginx, clawkit];
