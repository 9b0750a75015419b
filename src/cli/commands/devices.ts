import { printable } from "../../core/printable.ts";
import type { CliContext } from "../context.ts";
import { callGateway } from "../gateway-caller.ts";

interface Options {
  readonly json?: boolean;
}

interface Listed {
  readonly deviceId: string;
  readonly displayName?: string;
  readonly label?: string;
  readonly clientId?: string;
  readonly platform?: string;
  readonly remoteIp: string;
  readonly scopes: readonly string[];
}

interface List {
  readonly pending: readonly (Listed & { readonly requestId: string; readonly role: string })[];
  readonly paired: readonly (Listed & { readonly roles: readonly string[]; readonly connected: boolean })[];
}

export async function devicesList(context: CliContext, { json }: Options): Promise<number> {
  const list = (await callGateway(context, "device.pair.list", {})) as List;
  const { out } = context;
  if (json) {
    out.json(list);
    return 0;
  }
  if (list.pending.length + list.paired.length === 0) out.line("No devices are paired, and none asks to be");
  for (const { requestId, role, ...device } of list.pending)
    out.line(
      `waits     ${nameOf(device)} asks to be ${role} (${printable(device.scopes.join(" ")) || "no scopes"}): ${context.name} devices approve ${requestId}`,
    );
  for (const { roles, connected, ...device } of list.paired)
    out.line(
      `${connected ? "connected" : "away     "} ${nameOf(device)} ${roles.join(" ") || "revoked"}  ${device.deviceId}`,
    );
  return 0;
}

export async function devicesApprove(
  context: CliContext,
  requestId: string,
  options: Options,
): Promise<number> {
  const answer = await callGateway(context, "device.pair.approve", { requestId });
  const { device } = answer as { device: Listed };
  return told(context, options, {
    answer,
    line: `${nameOf(device)} is approved: it comes in when it connects again`,
  });
}

export async function devicesReject(
  context: CliContext,
  requestId: string,
  options: Options,
): Promise<number> {
  const answer = await callGateway(context, "device.pair.reject", { requestId });
  return told(context, options, { answer, line: `Request ${requestId} is rejected` });
}

export async function devicesRemove(
  context: CliContext,
  deviceId: string,
  options: Options,
): Promise<number> {
  const answer = await callGateway(context, "device.pair.remove", { deviceId });
  return told(context, options, {
    answer,
    line: `Device ${deviceId} is removed, and its connections are closed`,
  });
}

function told(
  context: CliContext,
  { json }: Options,
  { answer, line }: { answer: unknown; line: string },
): number {
  if (json) context.out.json({ ok: true, ...(answer as object) });
  else context.out.line(line);
  return 0;
}

function nameOf({ label, displayName, clientId, platform, remoteIp }: Listed): string {
  const name = label ?? displayName ?? clientId ?? "a device";
  return printable(`${name} (${[platform, remoteIp].filter(Boolean).join(", ")})`);
}
