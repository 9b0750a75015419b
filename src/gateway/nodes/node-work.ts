import { randomUUID } from "node:crypto";
import type { Journal } from "../journal/journal.ts";

/** The real gateway's numbers: a day for items, ten minutes and 64 of a node for actions. */
const ITEM_MS = 24 * 60 * 60_000;
const ACTION_MS = 10 * 60_000;
const MAX_ACTIONS = 64;

/** Characters of one node's actions: beyond that the oldest are dropped, as beyond their number. */
const MAX_ACTION_CHARACTERS = 32 * 1024 * 1024;

/** What a node is told that has nothing else to do, as the real gateway has it. */
const BASELINE_ID = "baseline-status";
const DRAINED_AT_ONCE = 4;

const RANK = { default: 0, normal: 1, high: 2 } as const;

export interface WorkItem {
  readonly id: string;
  readonly type: string;
  readonly priority: keyof typeof RANK;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
}

export interface WorkAction {
  readonly id: string;
  readonly command: string;
  readonly paramsJSON?: string;
  readonly enqueuedAtMs: number;
}

/**
 * What nodes that are away find when they come back, in the journal; all within a commit. The same is there once: an item by its type, an
 * action by its idempotency key.
 */
export class NodeWork {
  readonly #journal: Journal;
  readonly #wall: () => number;

  constructor(journal: Journal, wall: () => number) {
    this.#journal = journal;
    this.#wall = wall;
  }

  enqueueItem(
    node: string,
    asked: { type: string; priority?: string; expiresInMs?: number },
  ): { revision: number; queued: WorkItem } {
    this.#expire(node);
    const [known] = this.#contents<WorkItem>(
      "SELECT content FROM node_work WHERE node = ? AND kind = 'item' AND key = ?",
      node,
      asked.type,
    );
    if (known !== undefined) return { revision: this.#revision(node), queued: known };
    const now = this.#wall();
    const queued: WorkItem = {
      id: randomUUID(),
      type: asked.type,
      priority: asked.priority === "high" ? "high" : "normal",
      createdAtMs: now,
      expiresAtMs: now + (asked.expiresInMs ?? ITEM_MS),
    };
    this.#add(node, "item", {
      id: queued.id,
      key: queued.type,
      rank: RANK[queued.priority],
      expires: queued.expiresAtMs!,
      content: queued,
    });
    return { revision: this.#change(node), queued };
  }

  /** What it returns is the node's: it is told once. */
  drain(node: string, maxItems = DRAINED_AT_ONCE): { revision: number; items: WorkItem[]; hasMore: boolean } {
    this.#expire(node);
    const all = this.#contents<WorkItem>(
      "SELECT content FROM node_work WHERE node = ? AND kind = 'item' ORDER BY rank DESC, at, id",
      node,
    );
    const items = all.slice(0, maxItems);
    for (const { id } of items) this.#journal.run("DELETE FROM node_work WHERE id = ?", id);
    const revision = items.length > 0 ? this.#change(node) : this.#revision(node);
    const needsBaseline = !all.some(({ type }) => type === "status.request");
    const hasRoom = items.length < maxItems;
    if (needsBaseline && hasRoom) items.push(this.#baseline());
    return { revision, items, hasMore: all.length > maxItems || (needsBaseline && !hasRoom) };
  }

  /** Returns the id of the action, or of the one with the same key that waits already. */
  enqueueAction(node: string, asked: { command: string; paramsJSON: string | null; key: string }): string {
    const { command, paramsJSON, key } = asked;
    const known = this.actions(node);
    const row = this.#journal.get(
      "SELECT id FROM node_work WHERE node = ? AND kind = 'action' AND key = ?",
      node,
      asked.key,
    );
    if (row !== undefined) return row.id as string;
    this.acknowledge(node, tooMany(known, paramsJSON?.length ?? 0));
    const now = this.#wall();
    const id = randomUUID();
    const content: WorkAction = {
      id,
      command,
      ...(paramsJSON !== null && { paramsJSON }),
      enqueuedAtMs: now,
    };
    this.#add(node, "action", { id, key, rank: 0, expires: now + ACTION_MS, content });
    return id;
  }

  /** They stay until they are acknowledged. */
  actions(node: string): WorkAction[] {
    this.#expire(node);
    return this.#contents<WorkAction>(
      "SELECT content FROM node_work WHERE node = ? AND kind = 'action' ORDER BY at, rowid",
      node,
    );
  }

  /** In one statement: a list may have millions. */
  acknowledge(node: string, ids: readonly string[]): void {
    this.#journal.run(
      "DELETE FROM node_work WHERE node = ? AND kind = 'action' AND id IN (SELECT value FROM json_each(?))",
      node,
      JSON.stringify(ids),
    );
  }

  /** The node is no node any more. */
  clear(node: string): void {
    this.#journal.run("DELETE FROM node_work WHERE node = ?", node);
    this.#journal.run("DELETE FROM node_revisions WHERE node = ?", node);
  }

  #baseline(): WorkItem {
    const createdAtMs = this.#wall();
    return { id: BASELINE_ID, type: "status.request", priority: "default", createdAtMs, expiresAtMs: null };
  }

  #add(
    node: string,
    kind: "item" | "action",
    {
      id,
      key,
      rank,
      expires,
      content,
    }: { id: string; key: string; rank: number; expires: number; content: object },
  ): void {
    this.#journal.run(
      "INSERT INTO node_work (id, node, kind, key, rank, at, expires, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      id,
      node,
      kind,
      key,
      rank,
      this.#wall(),
      expires,
      JSON.stringify(content),
    );
  }

  #expire(node: string): void {
    const now = this.#wall();
    const { changes } = this.#journal.run("DELETE FROM node_work WHERE node = ? AND expires <= ?", node, now);
    if (Number(changes) > 0) this.#change(node);
  }

  #change(node: string): number {
    this.#journal.run(
      "INSERT INTO node_revisions VALUES (?, 1) ON CONFLICT DO UPDATE SET revision = revision + 1",
      node,
    );
    return this.#revision(node);
  }

  #revision(node: string): number {
    return (
      (this.#journal.get("SELECT revision FROM node_revisions WHERE node = ?", node)?.revision as number) ?? 0
    );
  }

  #contents<T>(sql: string, ...values: string[]): T[] {
    return this.#journal.all(sql, ...values).map(({ content }) => JSON.parse(content as string) as T);
  }
}

/** Ids of those, the oldest first, that leave no room for one more with that many characters. */
function tooMany(actions: readonly WorkAction[], characters: number): string[] {
  let total = characters;
  const kept = actions.toReversed().filter(({ paramsJSON }, i) => {
    total += paramsJSON?.length ?? 0;
    return i < MAX_ACTIONS - 1 && total <= MAX_ACTION_CHARACTERS;
  });
  return actions.filter((action) => !kept.includes(action)).map(({ id }) => id);
}
