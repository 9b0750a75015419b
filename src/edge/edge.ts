import type { CauseId } from "../core/causes.ts";
import { CLOSE } from "../core/close-codes.ts";
import type {
  AfterEnd,
  Drain,
  EdgeAnswer,
  EdgeInspection,
  EdgeQuestion,
  EdgeSettings,
  GatewayRun,
  GatewayState,
} from "../core/messages.ts";
import type { NetworkTimer } from "../core/network-timer.ts";
import type { Clock, Log } from "../core/ports.ts";
import type { ProcessEnd } from "../core/process-end.ts";
import type { RecordEvent } from "../core/records.ts";
import type { Host } from "../host/types.ts";
import { FirstMessage } from "../protocol/first-message.ts";
import { ConnectionLog, type ConnectionTrack, type Ending } from "./connection-log.ts";
import { ControlProxy } from "./control-proxy.ts";
import { readConnect, STARTED_PATH, shutdownFrame } from "./dialects/openclaw.ts";
import { CLOSE_ANSWER_MS } from "./ending.ts";
import { FrontDoor } from "./front-door.ts";
import { GatewayMonitor, type Loss } from "./gateway-monitor.ts";
import { Greeter } from "./greeter.ts";
import { HttpProxy, pathOf, sendJson } from "./http-proxy.ts";
import { KeepaliveSweep } from "./keepalive-sweep.ts";
import { Link, type LinkHost } from "./link.ts";
import { pageOf } from "./live-links.ts";
import { Metrics, type RecorderStats } from "./metrics.ts";
import { Resumption } from "./resumption.ts";
import { Sampler } from "./sampler.ts";
import { StandInTicks } from "./stand-in-ticks.ts";
import { type Admitted, WaitingRoom } from "./waiting-room.ts";

/** What a cold start of OpenClaw takes at least (8 to 24 s; knowledge: openclaw.md). */
const OPENCLAW_RESTART_MS = 10_000;

/** Time a drain takes per client, up to what was asked for: few clients need no two seconds. */
const DRAIN_MS_PER_CLIENT = 2;

/** What the edge answers itself: it must be there when nothing else is. */
const OWN_PATHS = ["/__clawkit__/healthz", "/__clawkit__/readyz", "/__clawkit__/metrics"];

export interface EdgeDeps {
  readonly settings: EdgeSettings;
  readonly clock: Clock;
  readonly host: Host;
  readonly log: Log;
  readonly random: () => number;
  /** Different for every life of an edge; the ids of its connections begin with it. */
  readonly edgeId: string;
  readonly stateDir: string;
  readonly memory: () => { readonly rss: number; readonly heapUsed: number };
  readonly record: RecordEvent;
  readonly recorderStats: () => RecorderStats;
  /** What an edge before this one learned of networks, and where that is kept. */
  readonly learnedTimers: readonly NetworkTimer[];
  readonly keepTimers: (timers: readonly NetworkTimer[]) => void;
  readonly onGatewayState: (generation: number, state: GatewayState) => void;
  /** Somebody asks for the console, and it does not run. */
  readonly onControlWanted: () => void;
  readonly onRestartNeeded: (generation: number, why: string) => void;
}

/** Owns the clients' connections: the front door, the waiting room, the links, and what is known of the gateway. */
export class Edge {
  readonly #deps: EdgeDeps;
  readonly #monitor: GatewayMonitor;
  readonly #waitingRoom: WaitingRoom;
  readonly #greeter: Greeter;
  readonly #proxy: HttpProxy;
  readonly #door: FrontDoor;
  readonly #links = new Map<Link, ConnectionTrack>();
  readonly #linkHost: LinkHost;
  readonly #control: ControlProxy;
  readonly #keepalive: KeepaliveSweep;
  readonly #resumption: Resumption;
  readonly #ticks: StandInTicks;
  /** The gateway ends as planned, and another one follows. */
  #isReplaced = false;
  readonly #metrics: Metrics;
  readonly #sampler: Sampler;
  #lost = 0;
  /** When the gateway ended that has no ready successor yet. */
  #endedAt: number | undefined;

  constructor(deps: EdgeDeps) {
    const { settings, clock, record } = deps;
    this.#deps = deps;
    this.#metrics = new Metrics({
      connections: () => this.#links.size,
      held: () => this.#held,
      gatewayReady: () => this.#monitor.state === "ready",
      recorder: deps.recorderStats,
    });
    const connections = new ConnectionLog({ record, clock, edgeId: deps.edgeId, witness: this.#metrics });
    this.#monitor = new GatewayMonitor({
      ...deps,
      rules: settings,
      restartsInPlace: this.#speaksOpenclaw,
      readyPath: this.#speaksOpenclaw ? STARTED_PATH : "/readyz",
      onState: (generation, state) => this.#onGatewayState(generation, state),
      onSilent: (generation, why) =>
        record({
          type: "gateway-silent",
          at: clock.wall(),
          generation,
          why,
          isSupervised: this.#isSupervised,
        }),
    });
    this.#waitingRoom = new WaitingRoom({
      clock,
      monitor: this.#monitor,
      isPlaceKept: this.#speaksOpenclaw,
      onAdmitted: (a) => this.#onAdmitted(a),
      ...(this.#speaksOpenclaw ? { onOverdue: (visitor) => this.#greeter.greet(visitor) } : {}),
    });
    this.#greeter = new Greeter({ ...deps, isReady: () => this.#monitor.state === "ready" });
    this.#proxy = new HttpProxy(this.#monitor, (response) => void this.#answerMetrics(response));
    this.#control = new ControlProxy(deps);
    this.#door = new FrontDoor({
      settings,
      clock,
      connections,
      countConnections: () => this.#links.size + this.#held,
      onVisitor: (visitor) => this.#waitingRoom.enter(visitor),
      onRequest: (request, response, attribution) => {
        const path = pathOf(request);
        if (OWN_PATHS.includes(path)) return void this.#answerOwn(path, response);
        if ("refusal" in attribution)
          return sendJson(response, 403, { ok: false, error: attribution.refusal });
        if (path === "/__clawkit__" || path.startsWith("/__clawkit__/"))
          return this.#control.handle(request, response, attribution.clientAddress);
        this.#proxy.handle(request, response, attribution.headers);
      },
    });
    this.#linkHost = {
      now: () => clock.now(),
      onRtt: (ms) => {
        this.#metrics.rtt(ms);
        this.#sampler.rtt(ms);
      },
      onGatewayLost: (link) => void this.#explainLoss(link),
      onDetached: (link) => this.#onDetached(link),
      onUnacknowledged: (link) => this.#resumption.unacknowledged(link),
      onRetained: (link) => {
        if (link.isDetached || this.#monitor.isBusy) this.#ticks.asked(link);
      },
      retained: { bytes: 0 },
      onEnded: (link, end) => this.#onLinkEnded(link, end),
    };
    this.#resumption = new Resumption({ links: this.#links, monitor: this.#monitor, log: deps.log });
    this.#keepalive = new KeepaliveSweep(this.#links, deps);
    this.#ticks = new StandInTicks(() => this.#unserved(), clock);
    this.#sampler = new Sampler({
      ...deps,
      connections: () => ({ open: this.#links.size, held: this.#held }),
      gatewayPid: () => this.#monitor.run?.pid,
      onSample: (sample) => {
        this.#metrics.sampled(sample);
        record({ type: "sample", sample });
      },
      onNote: (note) => {
        deps.log(note.text);
        record({ type: "note", note });
        if (note.kind === "host-slept") this.#keepalive.checkAll();
      },
    });
  }

  listen(handles: readonly object[]): Promise<void> {
    return this.#door.listen(handles);
  }

  gatewayStarted(run: GatewayRun): void {
    this.#isReplaced = false;
    if (run.resumes !== true) this.#endDetached(); // the config names another kind of gateway now
    this.#monitor.started(run);
  }

  upstreamTrusts(trustsEdge: boolean): void {
    const from = trustsEdge ? "passed on: it is told who they are" : "refused: it would take them for local";
    this.#deps.log(`OpenClaw's config changed; remote clients are ${from}`);
    this.#door.upstreamTrustsEdge = trustsEdge;
  }

  gatewayEnded(generation: number, end: ProcessEnd, after: AfterEnd): void {
    this.#endedAt ??= this.#deps.clock.now();
    this.#metrics.gatewayEnded(end);
    this.#monitor.ended(generation, end, after);
    if (end.code !== 0) {
      for (const link of this.#resumption.waiting) if (link.generation === generation) link.lost();
    }
    if (after.kind !== "restart" && !this.#isReplaced) this.#endDetached();
  }

  inspect(): EdgeInspection {
    return {
      connections: this.#links.size,
      held: this.#held,
      gatewayState: this.#monitor.state,
      networkTimers: this.#keepalive.learned,
    };
  }

  /** What the control process wants to know, or to be done. */
  answer(question: EdgeQuestion): EdgeAnswer {
    switch (question.kind) {
      case "links":
        return { kind: "links", page: pageOf(this.#links, question, this.#deps.clock.now()) };
      case "close-link":
        return { kind: "link-closed", wasOpen: this.#closeLink(question.link, question.reason) };
      case "note":
        this.#deps.record({ type: "note", note: question.note });
        return { kind: "noted" };
    }
  }

  controlListening(path: string): void {
    this.#control.listening(path);
  }

  controlEnded(why: string): void {
    this.#control.ended(why);
  }

  #closeLink(id: string, reason: string): boolean {
    for (const [link, track] of this.#links) {
      if (track.id !== id || !link.isOpen) continue;
      link.end(CLOSE.tryAgainLater, reason, { by: "edge", cause: "closed-by-operator" });
      return true;
    }
    return false;
  }

  /** Tells every client of the gateway that it goes, spread over time, unless its link goes on with the next; new ones are held. */
  async drainGateway(drain: Drain): Promise<void> {
    this.#isReplaced = true;
    // what the gateway has taken is in its journal
    for (const link of this.#links.keys()) link.detach();
    await this.#drainLinks(
      [...this.#links.keys()].filter((link) => link.isOpen && !link.isDetached),
      drain,
      "planned-restart",
    );
  }

  async #drainLinks(links: readonly Link[], drain: Drain, cause: CauseId): Promise<void> {
    const { reason, spreadMs, isStop } = drain;
    this.#monitor.retire();
    const spread = Math.min(spreadMs, links.length * DRAIN_MS_PER_CLIENT);
    if (links.length > 0) this.#deps.log(`telling ${links.length} clients 1012: ${reason}`);
    await Promise.all(
      links.map(async (link) => {
        await delay(this.#deps.random() * spread);
        const restartInMs = isStop ? undefined : 0;
        this.#endLink(link, { code: CLOSE.serviceRestart, reason, by: "edge", cause, restartInMs });
      }),
    );
    for (
      let waited = 0;
      waited < CLOSE_ANSWER_MS && links.some((link) => this.#links.has(link));
      waited += 10
    ) {
      await delay(10);
    }
  }

  /** Stops accepting, tells everyone, held clients included. */
  async drainAll(drain: Drain, cause: CauseId = "planned-restart"): Promise<void> {
    const { reason } = drain;
    this.#door.close(reason, cause);
    await Promise.all([
      this.#waitingRoom.dismissAll({ code: CLOSE.serviceRestart, reason, cause }),
      this.#greeter.dismissAll({ code: CLOSE.serviceRestart, reason, cause }),
      this.#drainLinks([...this.#links.keys()], drain, cause),
    ]);
  }

  stop(): void {
    this.#door.close("gateway stopped", "planned-restart");
    this.#sampler.stop();
    this.#monitor.stop();
    this.#waitingRoom.stop();
    this.#keepalive.stop();
    this.#ticks.stop();
    this.#resumption.stop();
    this.#proxy.stop();
    this.#control.stop();
  }

  #onGatewayState(generation: number, state: GatewayState): void {
    const { clock, record } = this.#deps;
    this.#deps.onGatewayState(generation, state);
    record({ type: "gateway-state", at: clock.wall(), generation, state });
    if (state !== "ready") return;
    if (this.#endedAt !== undefined) this.#metrics.gatewayRecovered(clock.now() - this.#endedAt);
    this.#endedAt = undefined;
    this.#resumption.gatewayReady();
    this.#waitingRoom.pump();
    this.#greeter.gatewayReady();
  }

  #onAdmitted({ visitor, gateway, gatewayHead, allowedRsv, generation, resumes }: Admitted): void {
    const options = {
      client: visitor.socket,
      gateway,
      allowedRsv,
      clientAddress: visitor.clientAddress,
      generation,
      resumes,
      keepalive: this.#keepalive.begin(visitor.clientAddress),
      onFirstBytes: identifier(visitor.track),
      ...(this.#speaksOpenclaw ? { onAnswered: () => this.#waitingRoom.handshakeDone(visitor) } : {}),
    };
    const link = new Link(options, this.#linkHost);
    this.#links.set(link, visitor.track);
    link.start(visitor.early, gatewayHead);
  }

  #onLinkEnded(link: Link, end: Ending): void {
    const track = this.#links.get(link);
    this.#links.delete(link);
    this.#keepalive.ended(link, end.cause);
    this.#resumption.ended(link, end.cause === "client-closed" ? track?.id : undefined);
    track?.closed(end, link.traffic);
    // it says so itself: who comes back is held until it is ready, instead of sent to one that is half started
    if (end.cause === "gateway-announced-restart") this.#monitor.doubt();
  }

  /** Its gateway is gone; if none follows, it ends like any other link. */
  #onDetached(link: Link): void {
    if (!this.#isReplaced && this.#monitor.isOver(link.generation)) return void this.#explainLoss(link);
    this.#resumption.detached(link);
    this.#ticks.asked(link); // its client's question may have gone to the gateway that is gone
  }

  #endDetached(): void {
    for (const link of this.#resumption.waiting) void this.#explainLoss(link);
  }

  /** Those whose gateway sends them no `tick`, though they will be served again. */
  #unserved(): Iterable<Link> {
    return this.#monitor.isBusy ? this.#links.keys() : this.#resumption.waiting;
  }

  async #explainLoss(link: Link): Promise<void> {
    if (this.#lost++ === 0) setTimeout(() => this.#reportLosses(), CLOSE_ANSWER_MS);
    this.#endLink(link, { by: "gateway", ...(await this.#monitor.explainLoss(link.generation)) });
  }

  /** Clients of OpenClaw are told of a restart in their own protocol, too. */
  #endLink(link: Link, end: Loss & { readonly by: "edge" | "gateway" }): void {
    const { code, reason, by, cause, restartInMs } = end;
    const isTold = this.#speaksOpenclaw && code === CLOSE.serviceRestart;
    const expectedMs = restartInMs === undefined ? undefined : restartInMs + OPENCLAW_RESTART_MS;
    const farewell = isTold ? { farewell: shutdownFrame(reason, expectedMs) } : {};
    link.end(code, reason, { by, cause, ...farewell });
  }

  #reportLosses(): void {
    const clients = this.#lost === 1 ? "1 client lost its" : `${this.#lost} clients lost their`;
    this.#deps.log(`${clients} gateway and were told why`);
    this.#lost = 0;
  }

  get #speaksOpenclaw(): boolean {
    return this.#deps.settings.dialect === "openclaw";
  }

  /** Clients without an answer of the gateway. */
  get #held(): number {
    return this.#waitingRoom.size + this.#greeter.size;
  }

  get #isSupervised(): boolean {
    return this.#monitor.run?.pid !== undefined;
  }

  /** The edge's own state, apart from the gateway's. */
  async #answerOwn(path: string, response: Parameters<typeof sendJson>[0]): Promise<void> {
    if (path === "/__clawkit__/metrics") return await this.#answerMetrics(response);
    // anybody may ask: where clients come from is nobody's business
    const { networkTimers: _, ...state } = this.inspect();
    if (path === "/__clawkit__/healthz") return sendJson(response, 200, { ok: true, ...state });
    const isReady = this.#monitor.state === "ready";
    sendJson(response, isReady ? 200 : 503, { ok: isReady, ...state });
  }

  async #answerMetrics(response: Parameters<typeof sendJson>[0]): Promise<void> {
    const text = await this.#metrics.render();
    response.writeHead(200, { "Content-Type": this.#metrics.contentType, "Cache-Control": "no-store" });
    response.end(text);
  }
}

/** Reads who a client says it is from its first message, and then looks no more. */
function identifier(track: ConnectionTrack): (chunk: Buffer) => "more" | "enough" {
  const message = new FirstMessage();
  return (chunk) => {
    const found = message.push(chunk);
    if (found === "more") return "more";
    const client = found === undefined ? undefined : readConnect(found.text)?.client;
    if (client !== undefined) track.identified(client);
    return "enough";
  };
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
