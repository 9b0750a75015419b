import { delayOf } from "./backoff.ts";
import { Life, LOOK_MS } from "./life.ts";
import { asData, type Data, Outbox, sizeOf } from "./outbox.ts";
import { watchPage } from "./page.ts";
import { Journal, type State, seconds } from "./state.ts";
import { type Challenge, type Hello, type Refusal, Talk, type Ticket } from "./talk.ts";
import { verdictOf } from "./verdict.ts";

/** An edge holds a client for 12 s until its gateway is there, and an OpenClaw for 15. */
const CONNECT_MS = 20_000;

/** A connection that held so long was a good one: behind it the first try is fast again. */
const HELD_MS = 2_000;

/** Behind connections that a gateway let in, and that did not hold: at most a second. */
const MAX_FAILED_WELCOME = 2;

/** A server that did not let us in closes, and its code says whether to come back. */
const REFUSED_MS = 5_000;

/** Behind our close: Node waits more than 200 s for the other Close frame (a trial). */
const CLOSE_MS = 5_000;

/** Almost 25 days: a longer timer is due at once (HTML, "timer initialization steps": its delay is a signed 32-bit number). */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What may be held while there is no connection. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/** RFC 6455 §5.5: a control frame carries 125 bytes, two of them are the code. */
const MAX_REASON_BYTES = 123;

const CLOSED_BY_US = "closed by this application";
const NO_CLOSE_FRAME = 1006;
const CLIENT_TIMEOUT = 4000;

export interface ClientSocketOptions {
  /**
   * The params of `connect` for a gateway's challenge: the library then says hello itself, at every connection, and `open`
   * comes behind it. Without it the application talks to its server from `open` on.
   */
  readonly hello?: (challenge: Challenge) => unknown;
  /** A message that this server answers, to see whether it is there. ClawKit's gateway has its own way. */
  readonly ask?: string;
  /** Silence that is unusual for this server. A gateway's own `tick` says it. */
  readonly silenceMs?: number;
  /** Another WebSocket than the global one. */
  readonly WebSocket?: new (
    url: string,
    protocols?: string | string[],
  ) => WebSocket;
}

/** Something may have been missed, or said in vain: the server does not know what was before. */
export class GapEvent extends Event {
  readonly reason: string;
  /** Messages of ours that were sent, and that the server may have got, or not. Only with a server that counts. */
  readonly unconfirmed: readonly Data[];

  constructor(reason: string, unconfirmed: readonly Data[]) {
    super("gap");
    this.reason = reason;
    this.unconfirmed = unconfirmed;
  }
}

interface Listened {
  open: Event;
  message: MessageEvent;
  close: CloseEvent;
  error: Event;
  state: Event;
  gap: GapEvent;
}
type Handler<Name extends keyof Listened> = ((event: Listened[Name]) => void) | null;

const NAMES = ["open", "message", "close", "error", "state", "gap"] as const;

/** A WebSocket that comes back. `close` is said once, at the end; `state` tells what happens before (docs/client.md). */
export class ClientSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;

  onopen: Handler<"open"> = null;
  onmessage: Handler<"message"> = null;
  onclose: Handler<"close"> = null;
  onerror: Handler<"error"> = null;
  onstate: Handler<"state"> = null;
  ongap: Handler<"gap"> = null;

  readonly url: string;
  /** What the gateway said to the last hello. */
  hello: Hello | undefined;
  state: State = { name: "connecting", text: "connecting", at: Date.now() };
  readonly #protocols: string | string[];
  readonly #options: ClientSocketOptions;
  readonly #outbox = new Outbox();
  readonly #journal = new Journal();
  readonly #endPage: () => void;
  #binaryType: "blob" | "arraybuffer" = "blob";
  #readyState: 0 | 1 | 2 | 3 = 0;
  #socket: WebSocket | undefined;
  #talk: Talk | undefined;
  #ticket: Ticket | undefined;
  #life: Life | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  /** Tries that came to nothing since the last connection that held. */
  #failed = 0;
  #liveAt: number | undefined;
  /** Why a connection ended that the application knew of, and when. */
  #lost: { readonly why: string; readonly at: number } | undefined;
  /** What the gateway said when it did not let us in. */
  #refused: Refusal | undefined;
  /** Between two tries: nobody asked for patience. */
  #mayHurry = false;

  constructor(url: string | URL, protocols: string | string[] = [], options: ClientSocketOptions = {}) {
    super();
    this.url = String(url);
    this.#protocols = protocols;
    this.#options = options;
    for (const name of NAMES)
      this.addEventListener(name, (event) =>
        (this[`on${name}`] as ((event: Event) => void) | null)?.call(this, event),
      );
    this.#connect();
    this.#endPage = watchPage(() => this.#check());
    this.#watch = setInterval(() => this.#look(), LOOK_MS);
  }

  override addEventListener<Name extends keyof Listened>(
    type: Name,
    listener: (event: Listened[Name]) => void,
    options?: Parameters<EventTarget["addEventListener"]>[2],
  ): void;
  override addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void;
  override addEventListener(...args: unknown[]): void {
    super.addEventListener(...(args as Parameters<EventTarget["addEventListener"]>));
  }

  override removeEventListener<Name extends keyof Listened>(
    type: Name,
    listener: (event: Listened[Name]) => void,
    options?: Parameters<EventTarget["removeEventListener"]>[2],
  ): void;
  override removeEventListener(...args: Parameters<EventTarget["removeEventListener"]>): void;
  override removeEventListener(...args: unknown[]): void {
    super.removeEventListener(...(args as Parameters<EventTarget["removeEventListener"]>));
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return this.#readyState;
  }

  get protocol(): string {
    return this.#socket?.protocol ?? "";
  }

  get extensions(): string {
    return this.#socket?.extensions ?? "";
  }

  get bufferedAmount(): number {
    return this.#outbox.waitingBytes + (this.#socket?.bufferedAmount ?? 0);
  }

  get binaryType(): "blob" | "arraybuffer" {
    return this.#binaryType;
  }

  set binaryType(type: "blob" | "arraybuffer") {
    this.#binaryType = type;
    if (this.#socket !== undefined) this.#socket.binaryType = type;
  }

  /** The last states as JSON, for `clawkit why`. */
  get journal(): readonly State[] {
    return this.#journal.entries;
  }

  /** Waits while there is no connection, unlike a WebSocket. */
  send(content: Data): void {
    if (this.#readyState >= ClientSocket.CLOSING) return;
    const data = asData(content);
    if (this.#options.hello !== undefined && typeof data !== "string")
      throw new TypeError("Cannot send bytes to a gateway: its protocol is text");
    const isAway = this.#readyState === ClientSocket.CONNECTING;
    if (isAway && this.#outbox.bytes + sizeOf(data) > MAX_WAITING_BYTES)
      throw new Error(`Cannot send while not connected: ${MAX_WAITING_BYTES} bytes wait already`);
    if (this.#isOpening) return this.#write(data); // before what waits
    this.#outbox.add(isAway && typeof data !== "string" ? structuredClone(data) : data);
    if (!isAway) this.#flush();
  }

  close(code = 1000, reason = ""): void {
    if (code !== 1000 && !(code >= 3000 && code <= 4999))
      throw new DOMException(
        `Cannot close with ${code}: it must be 1000 or from 3000 to 4999`,
        "InvalidAccessError",
      );
    if (new TextEncoder().encode(reason).length > MAX_REASON_BYTES)
      throw new DOMException(
        `Cannot close with a reason of more than ${MAX_REASON_BYTES} bytes`,
        "SyntaxError",
      );
    if (this.#readyState >= ClientSocket.CLOSING) return;
    this.#readyState = ClientSocket.CLOSING;
    this.#stopTimers();
    // as of a WebSocket: who listens for it behind this call hears it
    if (!this.#socket?.readyState) return queueMicrotask(() => this.#finish(code, reason, CLOSED_BY_US));
    this.#socket.close(code, reason);
    // RFC 6455 §7.1.5: no Close frame was received
    const text = `${CLOSED_BY_US}: no answer for ${seconds(CLOSE_MS)}`;
    this.#timer = setTimeout(() => this.#finish(NO_CLOSE_FRAME, "", text), CLOSE_MS);
  }

  #connect(): void {
    if (this.#socket !== undefined) return;
    clearTimeout(this.#timer);
    this.#refused = undefined;
    const Socket = this.#options.WebSocket ?? globalThis.WebSocket;
    const socket = new Socket(this.url, this.#protocols);
    this.#socket = socket;
    this.#life = new Life(Date.now());
    socket.binaryType = this.#binaryType;
    this.#timer = setTimeout(() => this.#abandon(`no answer for ${seconds(CONNECT_MS)}`), CONNECT_MS);
    socket.onopen = () => this.#onOpen(socket);
    socket.onmessage = ({ data }) => {
      if (!this.#isHeard(socket)) return;
      this.#life?.heard(Date.now());
      if (this.#talk === undefined) this.#tell(new MessageEvent("message", { data }));
      else this.#talk.take(data);
    };
    socket.onerror = () => undefined; // its close says more
    socket.onclose = ({ code, reason }) => this.#onClose(socket, code, String(reason));
    this.#say("connecting", this.#lost === undefined ? "connecting" : "connecting again");
  }

  /** One that was left, or that the application closes, has nothing to say any more. */
  #isHeard(socket: WebSocket): boolean {
    return socket === this.#socket && this.#readyState < ClientSocket.CLOSING;
  }

  #onOpen(socket: WebSocket): void {
    if (!this.#isHeard(socket)) return;
    const { hello } = this.#options;
    if (hello === undefined) return this.#onLive(undefined, undefined);
    this.#talk = new Talk(
      {
        connectParams: hello,
        write: (text) => socket.send(text),
        onLive: (said, ticket, stored) => {
          this.hello = said;
          this.#onLive(ticket, stored);
        },
        onMessage: (data) => this.#tell(new MessageEvent("message", { data })),
        onConfirmed: (n) => this.#outbox.confirm(n),
        onRefused: (refused) => this.#onRefused(refused),
      },
      this.#ticket,
    );
  }

  #onRefused(refused: Refusal): void {
    this.#refused = refused;
    const { message, mayRetry } = refused;
    if (mayRetry) return this.#abandon(message);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#abandon(message), REFUSED_MS);
  }

  /** `stored`: the server goes on where it was. */
  #onLive(ticket: Ticket | undefined, stored: number | undefined): void {
    if (stored !== undefined && !this.#outbox.canResume(stored)) {
      this.#ticket = undefined;
      return this.#abandon("the gateway lost what it had confirmed");
    }
    clearTimeout(this.#timer);
    const lost = this.#lost;
    this.#lost = undefined;
    this.#ticket = ticket;
    this.#liveAt = Date.now();
    this.#readyState = ClientSocket.OPEN;
    if (stored !== undefined) {
      this.#outbox.resume(stored);
      this.#say("live", `connected again after ${this.#awayFor(lost)}, nothing was missed`);
    } else {
      const unconfirmed = this.#outbox.startOver();
      this.#isOpening = true;
      this.#say(
        "live",
        lost === undefined
          ? "connected"
          : `connected again after ${this.#awayFor(lost)}, something may have been missed`,
      );
      if (lost !== undefined) this.#tell(new GapEvent(lost.why, unconfirmed));
      this.#tell(new Event("open"));
      this.#isOpening = false;
    }
    this.#flush();
  }

  /** Listeners of `gap` and `open` are at work: what they send introduces us, and goes first. */
  #isOpening = false;

  #awayFor(lost: { readonly at: number } | undefined): string {
    return seconds(Date.now() - (lost?.at ?? Date.now()));
  }

  /** A listener may have closed it meanwhile. */
  #tell(event: Event): void {
    if (this.#readyState === ClientSocket.OPEN) this.dispatchEvent(event);
  }

  #flush(): void {
    while (this.#socket?.readyState === ClientSocket.OPEN) {
      const data = this.#outbox.take(this.#ticket !== undefined);
      if (data === undefined) return;
      this.#socket.send(data as string);
    }
  }

  #onClose(socket: WebSocket, code: number, reason: string): void {
    if (socket !== this.#socket) return;
    this.#letGo();
    if (this.#readyState === ClientSocket.CLOSING) return this.#finish(code, reason, CLOSED_BY_US);
    const now = Date.now();
    const wasLive = this.#liveAt !== undefined;
    const hasHeld = wasLive && now - this.#liveAt! >= HELD_MS;
    // who lets us in serves us; one that only accepts sockets may be about to close each of them
    const most = wasLive && this.hello !== undefined ? MAX_FAILED_WELCOME : Number.POSITIVE_INFINITY;
    this.#liveAt = undefined;
    const why = `${code === NO_CLOSE_FRAME && reason === "" ? "the connection broke off" : `${code} ${reason}`.trim()}`;
    if (wasLive) this.#lost ??= { why, at: now };
    this.#failed = hasHeld ? 0 : Math.min(this.#failed + 1, most);
    this.#readyState = ClientSocket.CONNECTING;
    const isUnheard = !wasLive && this.#options.hello !== undefined;
    const verdict = verdictOf(code, reason, isUnheard);
    if (verdict.retry === "never") return this.#finish(code, reason, `ended for good: ${why}`);
    const afterMs = this.#refused?.afterMs;
    const wanted = delayOf(this.#failed, afterMs === undefined ? verdict : { retry: "later", afterMs });
    const delay = Math.min(wanted, MAX_TIMER_MS);
    this.#mayHurry = afterMs === undefined && verdict.retry === "now";
    this.#timer = setTimeout(() => this.#connect(), delay);
    // its listener may close
    this.#say("waiting", `${why}: next try in ${seconds(delay)}`, { code, reason, retryInMs: delay });
  }

  #letGo(): void {
    clearTimeout(this.#timer);
    this.#talk?.end();
    this.#talk = undefined;
    this.#socket = undefined;
    this.#life = undefined;
  }

  /** A socket that cannot be waited for: its own close may take minutes. */
  #abandon(why: string): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#onClose(socket, CLIENT_TIMEOUT, why);
    socket.close(CLIENT_TIMEOUT);
  }

  #look(): void {
    const finding = this.#life?.look(Date.now(), this.#silenceMs);
    if (finding === "gone") this.#abandon("no sign of life");
    if (finding === "ask") this.#check();
  }

  get #silenceMs(): number {
    const tickMs = this.hello?.policy?.tickIntervalMs;
    return this.#options.silenceMs ?? (tickMs === undefined ? 0 : tickMs * 2);
  }

  /** Is anybody there? Where nobody waits for an answer, the next try is now. */
  #check(): void {
    if (this.#readyState === ClientSocket.OPEN) {
      if (this.#talk?.ask() || this.#ask()) this.#life?.asked(Date.now());
      else if (this.#life?.isSilent(Date.now(), this.#silenceMs)) this.#abandon("no sign of life");
    } else if (this.#readyState === ClientSocket.CONNECTING && this.#mayHurry) {
      this.#connect();
    }
  }

  #ask(): boolean {
    const { ask } = this.#options;
    if (ask !== undefined) this.#write(ask);
    return ask !== undefined;
  }

  #write(data: Data): void {
    if (this.#ticket !== undefined) this.#outbox.wrote(data);
    this.#socket?.send(data as string);
  }

  #finish(code: number, reason: string, text: string): void {
    if (this.#readyState === ClientSocket.CLOSED) return; // its socket's end came before
    const isOurs = this.#readyState === ClientSocket.CLOSING;
    const socket = this.#socket;
    this.#letGo();
    socket?.close(); // one that is still connecting
    this.#readyState = ClientSocket.CLOSED;
    this.#stopTimers();
    this.#endPage();
    this.#say("closed", text, { code, reason });
    if (!isOurs) this.dispatchEvent(new Event("error"));
    this.dispatchEvent(new CloseEvent("close", { code, reason, wasClean: code !== NO_CLOSE_FRAME }));
  }

  #stopTimers(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    this.#talk?.end();
  }

  #say(name: State["name"], text: string, more: Pick<State, "code" | "reason" | "retryInMs"> = {}): void {
    this.state = { name, text, at: Date.now(), ...more };
    this.#journal.add(this.state);
    this.dispatchEvent(new Event("state"));
  }
}
