import assert from "node:assert/strict";
import { sleep } from "./clawkit.ts";
import { asDevice } from "./device.ts";
import type { EventFrame } from "./gateway-frames.ts";
import { HistoryClient, type HistoryOptions } from "./history.ts";

/** Longer than any outage here. */
const INVOKE_MS = 180_000;

/** What all clients of one history did, as both sides of it saw it. */
export class History {
  /** How often a node did what it was asked, by what it was asked. */
  readonly executed = new Map<string, number>();
  /** What was asked of nodes: whether it was answered with its outcome. */
  readonly invoked = new Map<string, boolean>();
  /** Items for nodes that their gateway said it has. */
  readonly queued = new Set<string>();
  /** How often a node got each. */
  readonly drained = new Map<string, number>();

  /** What was acknowledged is done, everything at most once, and what was not done was not done. */
  check(): void {
    const twice = [...this.executed, ...this.drained].filter(([, times]) => times !== 1);
    assert.deepEqual(twice, [], "done more than once");
    const amiss = [...this.invoked].filter(([key, isDone]) => isDone !== this.executed.has(key));
    assert.deepEqual(amiss, [], "answered as done and not done, or the other way round");
    const lost = [...this.queued].filter((id) => !this.drained.has(id));
    assert.deepEqual(lost, [], "acknowledged and lost");
  }
}

/** Does what operators ask of it, fetches what was left for it, and tells of itself, without pause. */
export class HistoryNode extends HistoryClient {
  readonly id: string;
  readonly #history: History;

  constructor(url: string, history: History, options: HistoryOptions = {}) {
    const device = asDevice();
    super(url, { ...device, role: "node", commands: ["count"] }, options);
    this.id = device.deviceIdentity!.deviceId;
    this.#history = history;
  }

  async ask(isOver: () => boolean): Promise<void> {
    while (!isOver() && !this.hasEnded) {
      await this.request("node.event", { event: "number" });
      await this.drain();
    }
  }

  /** False when nothing is left. */
  async drain(): Promise<boolean> {
    const answer = await this.request("node.pending.drain", { maxItems: 10 });
    const { items } = (answer ?? { items: [] }) as { items: { id: string }[] };
    const own = items.filter(({ id }) => id !== "baseline-status");
    for (const { id } of own) count(this.#history.drained, id);
    return own.length > 0;
  }

  protected override onEvent({ event, payload }: EventFrame): void {
    if (event !== "node.invoke.request") return;
    const { id, paramsJSON } = payload as { id: string; paramsJSON: string };
    count(this.#history.executed, paramsJSON);
    void this.#answer(id, paramsJSON);
  }

  /** Until it is taken: somebody waits for it. */
  async #answer(id: string, payloadJSON: string): Promise<void> {
    const result = { id, nodeId: this.id, ok: true, payloadJSON };
    while ((await this.request("node.invoke.result", result)) === undefined && !this.hasEnded)
      await sleep(200);
  }
}

/** Reads, writes, asks nodes and leaves them work, one after the other, without pause. */
export class HistoryOperator extends HistoryClient {
  readonly #name: string;
  readonly #history: History;
  readonly #nodes: readonly string[];
  #n = 0;
  /** The last text that it was told to be written. */
  written: string | undefined;

  constructor(
    url: string,
    name: string,
    on: { history: History; nodes: readonly string[] },
    options: HistoryOptions = {},
  ) {
    super(url, { scopes: ["operator.admin"] }, options);
    this.#name = name;
    this.#history = on.history;
    this.#nodes = on.nodes;
  }

  async ask(isOver: () => boolean): Promise<void> {
    const requests = [
      () => this.request("health", {}),
      () => this.#write(),
      () => this.#invoke(),
      () => this.request("status", {}),
      () => this.#enqueue(),
      () => this.request("logs.tail", { limit: 1 }),
    ];
    while (!isOver() && !this.hasEnded) await requests[++this.#n % requests.length]!();
  }

  get #node(): string {
    return this.#nodes[this.#n % this.#nodes.length]!;
  }

  async #write(): Promise<void> {
    const text = `${this.#name} ${this.#n}`;
    if ((await this.request("system-event", { text })) !== undefined) this.written = text;
  }

  async #invoke(): Promise<void> {
    const params = { operator: this.#name, n: this.#n };
    const key = JSON.stringify(params);
    const invoke = {
      nodeId: this.#node,
      command: "count",
      params,
      idempotencyKey: key,
      timeoutMs: INVOKE_MS,
    };
    const answer = await this.request("node.invoke", invoke);
    if (this.hasEnded) return; // done or not, nobody was told
    this.#history.invoked.set(key, answer !== undefined);
    if (answer !== undefined) assert.deepEqual((answer as { payload: object }).payload, params);
  }

  async #enqueue(): Promise<void> {
    const type = this.#n % 2 === 0 ? "status.request" : "location.request";
    const answer = await this.request("node.pending.enqueue", { nodeId: this.#node, type });
    if (answer !== undefined) this.#history.queued.add((answer as { queued: { id: string } }).queued.id);
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
