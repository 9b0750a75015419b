import type { ConnectParams } from "@openclaw/gateway-protocol";
import type { WebSocket } from "ws";
import { Changes } from "./changes.ts";
import { type ClientEnd, TestClient } from "./clients.ts";
import { type Challenge, signed, type TestDevice } from "./device.ts";
import { type EventFrame, type Frame, type ResponseFrame, sawFrame, sawRequest } from "./gateway-frames.ts";

/** A `ws` client of a gateway that sends what it is told to and keeps every frame it gets. */
export class RawGatewayClient implements Disposable {
  readonly frames: Frame[] = [];
  readonly ended: Promise<ClientEnd>;
  readonly socket: WebSocket;
  readonly #changes = new Changes(() => JSON.stringify({ frames: this.frames, end: this.#end }));
  #end: ClientEnd | undefined;
  #lastId = 0;

  constructor(url: string, options: ConstructorParameters<typeof TestClient>[1] = {}) {
    const client = new TestClient(url, options);
    this.socket = client.socket;
    this.ended = client.ended;
    this.socket.on("message", (data) => {
      this.frames.push(sawFrame(data.toString()));
      this.#changes.changed();
    });
    void this.ended.then((end) => {
      this.#end = end;
      this.#changes.over();
    });
  }

  /** Waits for the challenge, then sends `connect` with these params. The response is a hello or a refusal. */
  async connect(params: Partial<ConnectParams> = {}): Promise<ResponseFrame> {
    await this.challenge();
    return await this.request("connect", connectParams(params));
  }

  /** The same as a device that signs the challenge. */
  async connectAs(device: TestDevice, params: Partial<ConnectParams> = {}): Promise<ResponseFrame> {
    const { payload } = await this.challenge();
    return await this.request("connect", signed(device, connectParams(params), payload as Challenge));
  }

  async challenge(): Promise<EventFrame> {
    return await this.event("connect.challenge");
  }

  /** The `n`th event of that name, from 1. */
  event(name: string, n = 1): Promise<EventFrame> {
    return this.when(() => this.events(name)[n - 1]);
  }

  events(name?: string): EventFrame[] {
    const events = this.frames.filter((frame) => frame.type === "event");
    return name === undefined ? events : events.filter((frame) => frame.event === name);
  }

  async request(method: string, params: unknown = {}): Promise<ResponseFrame> {
    const id = `${method} ${++this.#lastId}`;
    this.send({ type: "req", id, method, params });
    return await this.when(() =>
      this.frames.filter((frame) => frame.type === "res").find((frame) => frame.id === id),
    );
  }

  /** Sends text and bytes as they are, anything else as JSON. */
  send(frame: unknown): void {
    if (typeof frame === "string" || Buffer.isBuffer(frame)) {
      this.socket.send(frame);
      return;
    }
    sawRequest(frame as object);
    this.socket.send(JSON.stringify(frame));
  }

  /** What `find` returns, now or after a later frame. */
  when<T>(find: () => T | undefined): Promise<T> {
    return this.#changes.when(find);
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}

/** What a client of this machine sends that asks for nothing special. */
export function connectParams(params: Partial<ConnectParams> = {}): ConnectParams {
  return {
    minProtocol: 4,
    maxProtocol: 4,
    client: { id: "test", version: "1.0.0", platform: "test", mode: "test" },
    ...params,
  };
}
