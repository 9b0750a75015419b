import { randomUUID } from "node:crypto";
import { ErrorCodes } from "@openclaw/gateway-protocol/gateway-error-details";
import { messageOf } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import type { Commits } from "../commits.ts";
import { EncodedEvent, type ErrorShape, MethodError } from "../frames.ts";
import type { Journal } from "../journal/journal.ts";
import type { NodeInvokeParams, NodeInvokeResultParams } from "../schemas.ts";
import type { Session } from "../session.ts";
import type { NodeWork } from "./node-work.ts";

/** The real gateway's, for a request that says nothing of it; what is longer than a day is a day. */
const TIMEOUT_MS = 30_000;
const MAX_TIMEOUT_MS = 24 * 60 * 60_000;

/** Unanswered requests of one client: more of them is a flood. */
const MAX_PER_CLIENT = 1_000;

/** Bytes of their ids and parameters, of which the journal has a copy each: one that is large, or many that are small. */
const MAX_BYTES_PER_CLIENT = 8 * 1024 * 1024;
const SMALL = 64 * 1024;

/** What an iOS node says that is not in the foreground. */
const IN_BACKGROUND = "NODE_BACKGROUND_UNAVAILABLE";

export interface InvokesDeps {
  readonly journal: Journal;
  readonly commits: Commits;
  readonly work: NodeWork;
  readonly sessionOf: (link: number) => Session | undefined;
  readonly wall: () => number;
  readonly log: Log;
}

interface InvokeRow {
  readonly id: string;
  readonly link: number;
  readonly request: string;
  readonly node_link: number;
  readonly node: string;
  readonly command: string;
  readonly params: string | null;
  readonly key: string;
  readonly deadline: number;
}

/**
 * Requests that wait for a node. Each is a row of the journal until it is answered, in the commit that answers it: so it outlives the
 * gateway, and is answered once, by the node, its deadline, or the end of its connection.
 */
export class Invokes {
  readonly #deps: InvokesDeps;
  readonly #deadlines = new Map<string, NodeJS.Timeout>();

  constructor(deps: InvokesDeps) {
    this.#deps = deps;
  }

  /** Takes up what waited when the gateway before ended. */
  recover(): void {
    for (const row of this.#rows("SELECT * FROM invokes")) {
      if (this.#deps.sessionOf(row.link) === undefined) this.#plan(() => this.#cancel(row));
      else if (this.#deps.sessionOf(row.node_link) === undefined)
        this.#plan(() => this.#fail(row, DISCONNECTED));
      else this.#arm(row.id, row.deadline);
    }
  }

  /** Within a commit: asks the node; the answer to `request` comes later. */
  ask(
    session: Session,
    request: string,
    { params, node }: { params: NodeInvokeParams; node: Session },
  ): void {
    const { journal, commits, wall } = this.#deps;
    const { count } = journal.get(
      "SELECT count(*) AS count FROM invokes WHERE link = ?",
      session.link.key,
    ) as {
      count: number;
    };
    if (count >= MAX_PER_CLIENT) throw new MethodError(TOO_MANY);
    const paramsJSON = params.params === undefined ? null : JSON.stringify(params.params);
    this.#refuseTooLarge(session, request + (paramsJSON ?? ""));
    const id = randomUUID();
    const { nodeId, command, idempotencyKey } = params;
    const timeoutMs = Math.min(params.timeoutMs || TIMEOUT_MS, MAX_TIMEOUT_MS);
    const deadline = wall() + timeoutMs;
    journal.run(
      "INSERT INTO invokes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      id,
      session.link.key,
      request,
      node.link.key,
      nodeId,
      command,
      paramsJSON,
      idempotencyKey,
      deadline,
    );
    const row = { id, node: nodeId, command, params: paramsJSON, key: idempotencyKey };
    node.sendEvent(requestOf(row, timeoutMs), null);
    commits.after(() => this.#arm(id, deadline));
  }

  #refuseTooLarge({ link }: Session, kept: string): void {
    if (kept.length <= SMALL) return;
    const { bytes } = this.#deps.journal.get(
      "SELECT coalesce(sum(octet_length(request) + coalesce(octet_length(params), 0)), 0) AS bytes FROM invokes WHERE link = ?",
      link.key,
    ) as { bytes: number };
    if (bytes > 0 && bytes + Buffer.byteLength(kept) > MAX_BYTES_PER_CLIENT) throw new MethodError(TOO_LARGE);
  }

  /** Within a commit: what the node says. False if nobody waits for it any more. */
  answer(node: Session, result: NodeInvokeResultParams): boolean {
    const row = this.#rows(
      "SELECT * FROM invokes WHERE id = ? AND node_link = ?",
      result.id,
      node.link.key,
    )[0];
    if (row === undefined) return false;
    if (!result.ok) this.#fail(row, result.error ?? {});
    else {
      this.#forget(row);
      const { nodeId, payload, payloadJSON } = result;
      const answer = {
        ok: true,
        nodeId,
        command: row.command,
        payload: payloadJSON === undefined ? payload : parsed(payloadJSON),
        payloadJSON: payloadJSON ?? null,
      };
      this.#deps.sessionOf(row.link)?.respond(row.request, answer);
    }
    return true;
  }

  /** A client left: what it waits for is cancelled, what others wait for of it fails. */
  onEnded(link: number): void {
    this.#plan(() => {
      for (const row of this.#rows("SELECT * FROM invokes WHERE link = ?", link)) this.#cancel(row);
      for (const row of this.#rows("SELECT * FROM invokes WHERE node_link = ?", link))
        this.#fail(row, { ...DISCONNECTED, message: `node disconnected (${row.command})` });
    });
  }

  /**
   * Within a commit: a client goes on over another link. What was asked of it there, between its hello and now, it has taken for
   * what will come again (docs/link-protocol.md): so it does.
   */
  move(session: Session, from: number, to: number): void {
    const { journal, wall } = this.#deps;
    for (const row of this.#rows("SELECT * FROM invokes WHERE node_link = ? ORDER BY deadline", to))
      session.sendEvent(requestOf(row, Math.max(1, row.deadline - wall())), null);
    journal.run("UPDATE invokes SET link = ? WHERE link = ?", to, from);
    journal.run("UPDATE invokes SET node_link = ? WHERE node_link = ?", to, from);
  }

  close(): void {
    for (const timer of this.#deadlines.values()) clearTimeout(timer);
  }

  #cancel(row: InvokeRow): void {
    this.#forget(row);
    this.#tellCancelled(row);
  }

  #tellCancelled({ id, node, node_link: link }: InvokeRow): void {
    const payload = { invokeId: id, nodeId: node };
    this.#deps.sessionOf(link)?.sendEvent(new EncodedEvent("node.invoke.cancel", payload), null);
  }

  #fail(row: InvokeRow, nodeError: NonNullable<NodeInvokeResultParams["error"]>): void {
    this.#forget(row);
    const session = this.#deps.sessionOf(row.link);
    if (nodeError.code === IN_BACKGROUND) session?.respondError(row.request, this.#queue(row, nodeError));
    else {
      const text = nodeError.message ?? "node invoke failed";
      const message = nodeError.code === undefined ? text : `${nodeError.code}: ${text}`;
      const details = { nodeError, nodeCommandDispatched: true };
      session?.respondError(row.request, { code: ErrorCodes.UNAVAILABLE, message, details });
    }
  }

  /** The node fetches it when it is in the foreground again. */
  #queue(row: InvokeRow, nodeError: object): ErrorShape {
    const { node, command, params, key } = row;
    const queuedActionId = this.#deps.work.enqueueAction(node, { command, paramsJSON: params, key });
    return {
      code: ErrorCodes.UNAVAILABLE,
      message: "node command queued until iOS returns to foreground",
      retryable: true,
      details: { code: "QUEUED_UNTIL_FOREGROUND", queuedActionId, nodeId: node, command, nodeError },
    };
  }

  #forget({ id }: InvokeRow): void {
    this.#deps.journal.run("DELETE FROM invokes WHERE id = ?", id);
    this.#deps.commits.after(() => {
      clearTimeout(this.#deadlines.get(id));
      this.#deadlines.delete(id);
    });
  }

  #arm(id: string, deadline: number): void {
    const expire = () => {
      const row = this.#rows("SELECT * FROM invokes WHERE id = ?", id)[0];
      if (row === undefined) return;
      this.#fail(row, { code: "TIMEOUT", message: "node invoke timed out" });
      this.#tellCancelled(row);
    };
    // the clock may have been set back meanwhile
    const leftMs = Math.min(Math.max(0, deadline - this.#deps.wall()), MAX_TIMEOUT_MS);
    const timer = setTimeout(() => this.#plan(expire), leftMs);
    this.#deadlines.set(id, timer);
  }

  /** What cannot be written now is tried again: somebody waits for it. */
  #plan(work: () => void): void {
    const { commits, log } = this.#deps;
    const failed = (error: unknown) => {
      log(`an answer to node.invoke cannot be written: ${messageOf(error)}`);
      setTimeout(() => this.#plan(work), RETRY_MS).unref();
    };
    commits.add({ work, failed });
  }

  #rows(sql: string, ...values: (string | number)[]): InvokeRow[] {
    return this.#deps.journal.all(sql, ...values) as unknown as InvokeRow[];
  }
}

/** What the node is told. */
function requestOf(
  { id, node, command, params, key }: Pick<InvokeRow, "id" | "node" | "command" | "params" | "key">,
  timeoutMs: number,
): EncodedEvent {
  const paramsJSON = params === null ? {} : { paramsJSON: params };
  const payload = { id, nodeId: node, command, ...paramsJSON, timeoutMs, idempotencyKey: key };
  return new EncodedEvent("node.invoke.request", payload);
}

const RETRY_MS = 1_000;

const DISCONNECTED = { code: "NOT_CONNECTED", message: "node disconnected" };

const TOO_MANY: ErrorShape = {
  code: ErrorCodes.UNAVAILABLE,
  message: `cannot ask the node as ${MAX_PER_CLIENT} requests of this client are not answered yet: wait for some`,
  retryable: true,
};

const TOO_LARGE: ErrorShape = {
  code: ErrorCodes.UNAVAILABLE,
  message: `cannot ask the node as requests of this client that are not answered yet have ${MAX_BYTES_PER_CLIENT} bytes of ids and parameters: wait for some`,
  retryable: true,
};

function parsed(payloadJSON: string): unknown {
  try {
    return JSON.parse(payloadJSON) as unknown;
  } catch {
    return undefined;
  }
}
