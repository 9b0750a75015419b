import { ErrorCodes } from "@openclaw/gateway-protocol/gateway-error-details";
import { MethodError } from "../frames.ts";
import { includesScope, missingScopeError } from "../scopes.ts";

/** What only parts of the real gateway ask of a node, each with checks of its own (node-commands.mjs of 2026.9.6). */
const NOBODYS = /^(worker\.[\w.]+|agent\.cli\.claude\.run\.v\d+|system\.execApprovals\.(get|set))$/;

/** They reach files and browsers of the node's host, past any approval. */
const ADMINS: readonly string[] = [
  "browser.proxy",
  "browser.proxy.upload.v1",
  "fs.listDir",
  "terminal.upload",
];

/** Of `system.run` these, and nothing else, are the caller's to say. */
const RUN_PARAMS = [
  "command",
  "rawCommand",
  "systemRunPlan",
  "cwd",
  "env",
  "timeoutMs",
  "needsScreenRecording",
  "agentId",
  "sessionKey",
  "runId",
  "suppressNotifyOnExit",
];

/**
 * What goes to the node of what a client asks of it; throws what the client is told instead. As the real gateway has it: who may
 * write must not say in a person's place that a program may run. Here is nobody who could approve it.
 */
export function permittedParams(command: string, params: unknown, scopes: readonly string[]): unknown {
  if (NOBODYS.test(command))
    throw invalid(`node.invoke does not allow ${command}: it is not for clients`, { command });
  if (ADMINS.includes(command) && !includesScope(scopes, "operator.admin"))
    throw new MethodError(missingScopeError("operator.admin"));
  if (command !== "system.run" || typeof params !== "object" || params === null) return params;
  const { approved, approvalDecision, approvalSource } = params as Record<string, unknown>;
  if (approved === true || approvalDecision != null || approvalSource != null)
    throw invalid("exec approvals unavailable: this gateway has none that could be shown to the node", {
      code: "APPROVALS_UNAVAILABLE",
    });
  return Object.fromEntries(Object.entries(params).filter(([name]) => RUN_PARAMS.includes(name)));
}

function invalid(message: string, details: object): MethodError {
  return new MethodError({ code: ErrorCodes.INVALID_REQUEST, message, details });
}
