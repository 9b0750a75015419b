import { CLOSE } from "../core/close-codes.ts";
import type { AfterEnd, EdgeInspection, EdgeSettings, GatewayRun, GatewayState } from "../core/messages.ts";
import type { Clock, Log } from "../core/ports.ts";
import type { ProcessEnd } from "../core/process-end.ts";
import type { Host } from "../host/types.ts";
import { startKeepalive } from "../policy/keepalive.ts";
import { CLOSE_ANSWER_MS } from "./ending.ts";
import { FrontDoor } from "./front-door.ts";
import { GatewayMonitor } from "./gateway-monitor.ts";
import { HttpProxy, pathOf, sendJson } from "./http-proxy.ts";
import { KeepaliveSweep } from "./keepalive-sweep.ts";
import { Link } from "./link.ts";
import { type Admitted, WaitingRoom } from "./waiting-room.ts";

/** Time a drain takes per client, up to what was asked for: few clients need no two seconds. */
const DRAIN_MS_PER_CLIENT = 2;

export interface EdgeDeps {
  readonly settings: EdgeSettings;
  readonly clock: Clock;
  readonly host: Host;
  readonly log: Log;
  readonly random: () => number;
  readonly onGatewayState: (generation: number, state: GatewayState) => void;
  readonly onRestartNeeded: (generation: number, why: string) => void;
}

/** Owns the clients' connections: the front door, the waiting room, the links, and what is known of the gateway. */
export class Edge {
  readonly #deps: EdgeDeps;
  readonly #monitor: GatewayMonitor;
  readonly #waitingRoom: WaitingRoom;
  readonly #proxy: HttpProxy;
  readonly #door: FrontDoor;
  readonly #links = new Set<Link>();
  readonly #keepalive: KeepaliveSweep | undefined;
  #lost = 0;

  constructor(deps: EdgeDeps) {
    const { settings, clock } = deps;
    this.#deps = deps;
    this.#monitor = new GatewayMonitor({
      ...deps,
      rules: settings,
      onState: (generation, state) => this.#onGatewayState(generation, state),
    });
    this.#waitingRoom = new WaitingRoom({
      clock,
      monitor: this.#monitor,
      onAdmitted: (a) => this.#onAdmitted(a),
    });
    this.#proxy = new HttpProxy(this.#monitor);
    this.#door = new FrontDoor({
      settings,
      clock,
      countConnections: () => this.#links.size + this.#waitingRoom.size,
      onVisitor: (visitor) => this.#waitingRoom.enter(visitor),
      onRequest: (request, response, attribution) => {
        const path = pathOf(request);
        if (path.startsWith("/__clawkit__/")) return this.#answerOwn(path, response);
        if ("refusal" in attribution)
          return sendJson(response, 403, { ok: false, error: attribution.refusal });
        this.#proxy.handle(request, response, attribution.headers);
      },
    });
    this.#keepalive = settings.keepalive.enabled ? new KeepaliveSweep(this.#links, deps) : undefined;
  }

  listen(handles: readonly object[]): Promise<void> {
    return this.#door.listen(handles);
  }

  gatewayStarted(run: GatewayRun): void {
    this.#monitor.started(run);
  }

  gatewayEnded(generation: number, end: ProcessEnd, after: AfterEnd): void {
    this.#monitor.ended(generation, end, after);
  }

  inspect(): EdgeInspection {
    return {
      connections: this.#links.size,
      held: this.#waitingRoom.size,
      gatewayState: this.#monitor.state,
    };
  }

  /** Tells every client of the gateway that it goes, spread over time; new clients are held. */
  async drainLinks(reason: string, spreadMs: number): Promise<void> {
    this.#monitor.retire();
    const links = [...this.#links];
    const spread = Math.min(spreadMs, links.length * DRAIN_MS_PER_CLIENT);
    if (links.length > 0) this.#deps.log(`telling ${links.length} clients 1012: ${reason}`);
    await Promise.all(
      links.map(async (link) => {
        await delay(this.#deps.random() * spread);
        link.end(CLOSE.serviceRestart, reason);
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
  async drainAll(reason: string, spreadMs: number): Promise<void> {
    this.#door.close(reason);
    await Promise.all([
      this.#waitingRoom.dismissAll(CLOSE.serviceRestart, reason),
      this.drainLinks(reason, spreadMs),
    ]);
  }

  stop(): void {
    this.#door.close("gateway stopped");
    this.#monitor.stop();
    this.#waitingRoom.stop();
    this.#keepalive?.stop();
    this.#proxy.stop();
  }

  #onGatewayState(generation: number, state: GatewayState): void {
    this.#deps.onGatewayState(generation, state);
    if (state === "ready") this.#waitingRoom.pump();
  }

  #onAdmitted({ visitor, gateway, gatewayHead, allowedRsv, generation }: Admitted): void {
    const { clock, settings, random } = this.#deps;
    const link = new Link({
      client: visitor.socket,
      gateway,
      allowedRsv,
      clientAddress: visitor.address,
      generation,
      keepalive: startKeepalive(clock.now(), settings.keepalive, random),
      onGatewayLost: (lost) => void this.#explainLoss(lost),
      onEnded: (ended) => this.#links.delete(ended),
    });
    this.#links.add(link);
    link.start(visitor.early, gatewayHead);
  }

  async #explainLoss(link: Link): Promise<void> {
    if (this.#lost++ === 0) setTimeout(() => this.#reportLosses(), CLOSE_ANSWER_MS);
    const { code, reason } = await this.#monitor.explainLoss(link.generation);
    link.end(code, reason, "gateway");
  }

  #reportLosses(): void {
    this.#deps.log(`${this.#lost} clients lost their gateway and were told why`);
    this.#lost = 0;
  }

  /** The edge's own state, apart from the gateway's. */
  #answerOwn(path: string, response: Parameters<typeof sendJson>[0]): void {
    if (path === "/__clawkit__/healthz") return sendJson(response, 200, { ok: true, ...this.inspect() });
    if (path === "/__clawkit__/readyz") {
      const isReady = this.#monitor.state === "ready";
      return sendJson(response, isReady ? 200 : 503, { ok: isReady, ...this.inspect() });
    }
    sendJson(response, 404, { ok: false, error: "not found: /__clawkit__/ has healthz and readyz" });
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
