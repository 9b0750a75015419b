import { randomBytes } from "node:crypto";
import { CLOSE } from "../core/close-codes.ts";
import type { GatewayRun } from "../core/messages.ts";
import type { Log } from "../core/ports.ts";
import { LINKS_PATH, type LinkList, offerHeaders, readStored } from "../protocol/link-protocol.ts";
import type { ConnectionTrack } from "./connection-log.ts";
import { dial, edgeKeyOf, sendRequest } from "./dial.ts";
import type { GatewayMonitor } from "./gateway-monitor.ts";
import { type Link, STATE_LOST } from "./link.ts";

/** Links that are moved to a gateway at once. */
const AT_ONCE = 64;

/** A gateway that is up and does not take a link, or the list of them, is asked again. */
const RETRY_MS = 100;
const ANSWER_MS = 5_000;

/** Goodbyes of which the next gateway is told; without its own a client's session waits for it for two minutes. */
const MAX_CLOSED = 4_096;

/** Messages that were passed on are told together: until then the gateway only holds them longer. */
const ACK_MS = 50;

export interface ResumptionDeps {
  readonly links: ReadonlyMap<Link, ConnectionTrack>;
  readonly monitor: GatewayMonitor;
  readonly log: Log;
}

/** Takes links whose gateway went away to the next one (docs/link-protocol.md). */
export class Resumption {
  readonly #deps: ResumptionDeps;
  readonly #unacknowledged = new Set<Link>();
  readonly #waiting = new Set<Link>();
  readonly #abort = new AbortController();
  /** Since a gateway was last told: this one may end before it knows. */
  readonly #closed = new Set<string>();
  /** The gateway that was told of all links; the next one begins anew. */
  #run: GatewayRun | undefined;
  /** A link ended that the gateway waits for. */
  #isListStale = false;
  #isMoving = false;
  #ackTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;

  constructor(deps: ResumptionDeps) {
    this.#deps = deps;
  }

  /** Links without a gateway. */
  get waiting(): ReadonlySet<Link> {
    return this.#waiting;
  }

  detached(link: Link): void {
    this.#waiting.add(link);
    this.#moveSoon();
  }

  /** `closed`: its id if its client said goodbye. */
  ended(link: Link, closed?: string): void {
    this.#unacknowledged.delete(link);
    if (closed !== undefined) this.#noteClosed(closed);
    const wasWaiting = this.#waiting.delete(link);
    if (!wasWaiting && link.generation === this.#deps.monitor.run?.generation) return;
    // this gateway may have been told of it, and nobody else tells it that nobody comes
    this.#isListStale = true;
    this.#moveSoon();
  }

  #noteClosed(id: string): void {
    this.#closed.add(id);
    const [oldest] = this.#closed;
    if (this.#closed.size > MAX_CLOSED) this.#closed.delete(oldest!);
  }

  unacknowledged(link: Link): void {
    this.#unacknowledged.add(link);
    this.#ackTimer ??= setTimeout(() => {
      this.#ackTimer = undefined;
      for (const one of this.#unacknowledged) one.acknowledge();
      this.#unacknowledged.clear();
    }, ACK_MS);
  }

  /** It is told which links there are, and gets those that wait. */
  gatewayReady(): void {
    void this.#move();
  }

  stop(): void {
    clearTimeout(this.#ackTimer);
    clearTimeout(this.#retryTimer);
    this.#abort.abort();
  }

  #moveSoon(): void {
    if (this.#abort.signal.aborted) return;
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      void this.#move();
    }, RETRY_MS);
  }

  async #move(): Promise<void> {
    const { monitor, log } = this.#deps;
    const { run } = monitor;
    if (this.#isMoving || run?.resumes !== true || monitor.state !== "ready") return;
    this.#isMoving = true;
    try {
      if (this.#run !== run || this.#isListStale) {
        this.#isListStale = false;
        if (!(await this.#tellAll(run))) {
          this.#isListStale = true;
          return;
        }
        this.#run = run;
      }
      const links = [...this.#waiting];
      if (links.length === 0) return;
      const startedAt = performance.now();
      const queue = [...links];
      await Promise.all(Array.from({ length: AT_ONCE }, () => this.#moveEach(queue, run)));
      const left = links.filter((link) => this.#waiting.has(link)).length;
      const ms = Math.round(performance.now() - startedAt);
      if (left < links.length)
        log(
          `${links.length - left} clients go on with the gateway of generation ${run.generation}: ${ms} ms`,
        );
    } finally {
      this.#isMoving = false;
      if (this.#waiting.size > 0 || this.#isListStale) this.#moveSoon();
    }
  }

  async #moveEach(queue: Link[], run: GatewayRun): Promise<void> {
    for (let link = queue.shift(); link !== undefined; link = queue.shift()) {
      if (this.#deps.monitor.run === run) await this.#moveOne(link, run);
    }
  }

  async #moveOne(link: Link, run: GatewayRun): Promise<void> {
    const track = this.#deps.links.get(link);
    if (track === undefined || !link.isDetached) return; // it is about to end
    const key = randomBytes(16).toString("base64");
    const headers = [
      ...["Host", "localhost", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", key],
      ...offerHeaders({ link: track.id, ...link.offer }),
      ...edgeKeyOf(run),
    ];
    const result = await dial(run.address, { path: "/", headers }, this.#soon);
    if (result.kind === "refused") {
      result.response.destroy();
      if (result.response.statusCode !== 410) return;
      link.end(CLOSE.serviceRestart, STATE_LOST, { by: "edge", cause: "link-state-lost" });
      return;
    }
    if (result.kind !== "open") return;
    const stored = readStored(result.headers);
    if (stored === undefined || !link.isDetached) return void result.socket.destroy();
    this.#waiting.delete(link);
    track.moved(run.generation);
    link.attach({ gateway: result.socket, head: result.head, stored, generation: run.generation });
  }

  /** Which links there are: the gateway ends others, whose clients left meanwhile. */
  async #tellAll(run: GatewayRun): Promise<boolean> {
    const closed = [...this.#closed];
    const held = [...this.#deps.links].filter(([link]) => link.isOpen).map(([, { id }]) => id);
    const isTold = await this.#tell(run, { held, closed });
    if (isTold) for (const id of closed) this.#closed.delete(id);
    return isTold;
  }

  #tell(run: GatewayRun, list: LinkList): Promise<boolean> {
    const headers = ["Host", "localhost", "Content-Type", "application/json", ...edgeKeyOf(run)];
    return new Promise((resolve) => {
      const request = sendRequest(run.address, { method: "PUT", path: LINKS_PATH, headers }, this.#soon);
      request.on("response", (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      request.on("error", () => resolve(false));
      request.end(JSON.stringify(list));
    });
  }

  get #soon(): AbortSignal {
    return AbortSignal.any([this.#abort.signal, AbortSignal.timeout(ANSWER_MS)]);
  }
}
