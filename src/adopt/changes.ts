import { removeFromText, setInText } from "../config/edit.ts";
import { changedKeys } from "../diagnosis/remedies/shared.ts";
import { type OpenclawGateway, trustsEdge } from "../host/openclaw-gateway.ts";
import type { Installation } from "./installation.ts";
import { isOpenToOthers } from "./place.ts";

/** Where the edge's connections to OpenClaw come from. */
const EDGE_ADDRESS = "127.0.0.1";

const NEW_CONFIG = `// ClawKit's configuration (JSON5), written by clawkit adopt. All keys: docs/config.md
{
  gateway: {
  },
}
`;

/** A file that is to be changed; `before` is undefined if there is none. */
export interface FileChange {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string;
  readonly diff: readonly string[];
}

export interface Wishes {
  readonly bind: string;
  readonly repairRefusals: boolean;
}

/** ClawKit's own config, with OpenClaw behind the edge in its own place. */
export function ownConfigChange(
  own: { path: string; text: string },
  { command, port }: Installation,
  gateway: OpenclawGateway,
  { bind, repairRefusals }: Wishes,
): FileChange {
  const more = repairRefusals ? ", repairRefusals: true" : "";
  const upstream = `{ type: "openclaw", command: ${JSON.stringify(command)}${more} }`;
  const origins = gateway.allowedOrigins.filter((origin) => origin !== "*");
  const settings: [key: string, literal: string][] = [
    ["port", String(port)],
    ["bind", JSON.stringify(bind)],
    ["upstream", upstream],
    ...(origins.length > 0 ? [["allowedOrigins", JSON.stringify(origins)] as [string, string]] : []),
    ...(gateway.trustedProxies.length > 0
      ? [["trustedProxies", JSON.stringify(gateway.trustedProxies)] as [string, string]]
      : []),
  ];
  const after = settings.reduce(
    (text, [key, literal]) => setInText(text, ["gateway", key], literal),
    own.text.trim() === "" ? NEW_CONFIG : own.text,
  );
  const shown = ["port", "bind", "allowedOrigins", "trustedProxies", "upstream"].map(
    (key) => `gateway.${key}`,
  );
  return {
    path: own.path,
    before: own.text === "" ? undefined : own.text,
    after,
    diff: changedKeys(own.text, after, (key) => shown.some((one) => key.startsWith(one))),
  };
}

/**
 * OpenClaw's config, which stays as it is unless other machines reach the edge: OpenClaw then has to read their
 * addresses from it, or it would take them all for local.
 */
export function trustChange(
  { configPath, configText = "" }: Installation,
  gateway: OpenclawGateway,
  { bind }: Wishes,
): FileChange | undefined {
  if (!isOpenToOthers(bind) || trustsEdge(gateway)) return undefined;
  const proxies = [...gateway.trustedProxies, EDGE_ADDRESS];
  const after = setInText(configText, ["gateway", "trustedProxies"], JSON.stringify(proxies));
  const diff = changedKeys(configText, after, (key) => key.startsWith("gateway.trustedProxies"));
  return { path: configPath, before: configText, after, diff };
}

/** The same config without the edge: for one that was edited since, where the old file must not come back. */
export function withoutTrust(text: string, gateway: OpenclawGateway): string {
  const key = ["gateway", "trustedProxies"];
  const others = gateway.trustedProxies.filter((one) => one !== EDGE_ADDRESS);
  // an empty list, and none, are the same to OpenClaw
  return others.length === 0 ? removeFromText(text, key) : setInText(text, key, JSON.stringify(others));
}
