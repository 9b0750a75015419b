import { createRequire } from "node:module";
import { GatewayClient, type GatewayClientOptions } from "@openclaw/gateway-client";
import type { HelloOk } from "@openclaw/gateway-protocol";
import type { WebSocket } from "ws";
import { Changes } from "./changes.ts";
import { type EventFrame, sawFrame, sawRequest } from "./gateway-frames.ts";

export type { HelloOk };

/**
 * OpenClaw's own client, with promises for what it reports in callbacks. It reconnects by itself, as it does for its
 * users; what it sees goes on in the same lists.
 */
export class ReferenceClient implements AsyncDisposable {
  readonly hellos: HelloOk[] = [];
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  readonly connectErrors: Error[] = [];
  /** Why it gave up connecting, if it did. */
  readonly pauses: { readonly code: number; readonly detailCode: string | null }[] = [];
  readonly gaps: { readonly expected: number; readonly received: number }[] = [];
  /** The events of each connection, in the order of the connections. */
  readonly eventsByConnection: EventFrame[][] = [[]];
  readonly #client: GatewayClient;
  readonly #changes = new Changes(() => JSON.stringify({ ...this, hellos: this.hellos.length }));

  constructor(url: string, token: string | undefined, options: GatewayClientOptions = {}) {
    const noting =
      <T>(note: (...args: T[]) => unknown) =>
      (...args: T[]) => {
        note(...args);
        this.#changes.changed();
      };
    this.#client = new GatewayClient({
      url,
      ...(token === undefined ? {} : { token }),
      clientName: "test",
      mode: "test",
      deviceIdentity: null,
      ...options,
      onHelloOk: noting((hello: HelloOk) => this.hellos.push(hello)),
      onEvent: noting((event: EventFrame) => {
        this.eventsByConnection.at(-1)!.push(event);
        options.onEvent?.(event);
      }),
      onGap: noting((gap: { expected: number; received: number }) => this.gaps.push(gap)),
      onConnectError: noting((error: Error) => this.connectErrors.push(error)),
      onReconnectPaused: noting(({ code, detailCode }: { code: number; detailCode: string | null }) =>
        this.pauses.push({ code, detailCode }),
      ),
      onClose: (code, reason) => {
        this.closes.push({ code, reason });
        this.eventsByConnection.push([]);
        this.#changes.changed();
      },
    });
    this.#client.start();
  }

  /** Resolves when the gateway said hello-ok. */
  static async connect(
    url: string,
    token: string | undefined,
    options: GatewayClientOptions = {},
  ): Promise<ReferenceClient> {
    const client = new ReferenceClient(url, token, options);
    await client
      .when(() => client.hellos[0])
      .catch(async (error) => {
        await client.stop();
        throw error;
      });
    return client;
  }

  /** The hello of the current connection. */
  get hello(): HelloOk {
    return this.hellos.at(-1)!;
  }

  get events(): readonly EventFrame[] {
    return this.eventsByConnection.flat();
  }

  /** What `find` returns, now or after anything the client reports later. */
  when<T>(find: () => T | undefined): Promise<T> {
    return this.#changes.when(find);
  }

  request<T = Record<string, unknown>>(method: string, params: unknown = {}): Promise<T> {
    return this.#client.request<T>(method, params);
  }

  stop(): Promise<void> {
    return this.#client.stopAndWait();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/**
 * The client shows what it parsed, and of responses only the payload. To check frames as they came over the wire, its
 * own copy of `ws` is listened to.
 */
const { WebSocket: ItsWebSocket } = createRequire(import.meta.resolve("@openclaw/gateway-client"))("ws") as {
  WebSocket: { prototype: WebSocket };
};
const { emit, send } = ItsWebSocket.prototype;
/** Answers to what has one already, or was not asked, which the client does not mind. */
export const strayAnswers: string[] = [];
const asked = new WeakMap<WebSocket, Set<string>>();
ItsWebSocket.prototype.emit = function (this: WebSocket, event: string, ...args: unknown[]) {
  if (event === "message") {
    const frame = sawFrame(String(args[0]));
    if (frame.type === "res" && !asked.get(this)?.delete(frame.id)) strayAnswers.push(String(args[0]));
  }
  return emit.call(this, event, ...args);
};
ItsWebSocket.prototype.send = function (this: WebSocket, ...args: unknown[]) {
  const frame = JSON.parse(String(args[0])) as { readonly id: string };
  sawRequest(frame);
  if (!asked.has(this)) asked.set(this, new Set());
  asked.get(this)!.add(frame.id);
  return Reflect.apply(send, this, args);
};
