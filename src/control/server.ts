import { chmod, rm } from "node:fs/promises";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { messageOf } from "../core/errors.ts";
import { ApiError, failureOf } from "./api-error.ts";
import { API_PREFIX, CSRF_HEADER } from "./contract.ts";
import { cookieOf } from "./cookie.ts";
import type { ControlDeps } from "./deps.ts";
import { EndCounts } from "./end-counts.ts";
import { admit, checkSameSite, type Front } from "./guard.ts";
import { Jobs } from "./jobs.ts";
import { LogFeed } from "./log-feed.ts";
import { servePage } from "./pages.ts";
import type { Call, Shared } from "./route.ts";
import { findRoute } from "./routes/index.ts";
import { isSame, Sessions } from "./session.ts";
import { Ticker } from "./ticker.ts";

const PREFIX = "/__clawkit__";

/** A console is a handful of connections; a hundred of them are a mistake. */
const MAX_CONNECTIONS = 256;

/** Ten megabytes of a log come over loopback in a second. */
const REQUEST_MS = 30_000;

/** How often it is looked whether anybody still is there. */
const IDLE_LOOKS = 10;

/** On every answer: nothing but our own files runs, nobody frames us, no address leaves. */
const SECURITY_HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
} as const;

export interface ControlServerOptions {
  readonly front: Omit<Front, "port"> & { readonly port?: number };
  /** Told once nobody has asked for anything for so long. */
  readonly idle?: { readonly afterMs: number; readonly onIdle: () => void };
}

/** Serves the control API and the console's pages: the same code behind the edge and on its own port. */
export class ControlServer {
  readonly #deps: ControlDeps;
  readonly #options: ControlServerOptions;
  readonly #server: http.Server;
  readonly #sessions: Sessions;
  readonly #jobs: Jobs;
  readonly #ticker: Ticker;
  readonly #logFeed: LogFeed;
  readonly #endCounts = new EndCounts();
  #front: Front;
  #lastUse: number;
  #underWay = 0;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(deps: ControlDeps, options: ControlServerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#front = { port: 0, ...options.front };
    this.#sessions = new Sessions(deps.clock);
    this.#jobs = new Jobs(deps);
    this.#ticker = new Ticker(deps);
    this.#logFeed = new LogFeed(deps);
    this.#lastUse = deps.clock.now();
    this.#server = http.createServer({ requestTimeout: REQUEST_MS }, (request, response) => {
      void this.#answer(request, response);
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    // the edge keeps its connections to us, and must not find one closed under a request
    if (options.front.isBehindEdge) this.#server.keepAliveTimeout = 0;
  }

  /** On a local socket that only its owner may open. */
  async listenLocally(path: string): Promise<void> {
    const isFile = !path.startsWith("\\\\");
    if (isFile) await rm(path, { force: true });
    await this.#listen({ path });
    if (isFile) await chmod(path, 0o600);
  }

  /** On loopback; 0 is any free port. Returns the port. */
  async listenOnLoopback(port: number): Promise<number> {
    await this.#listen({ host: "127.0.0.1", port });
    const address = this.#server.address();
    if (typeof address === "object" && address !== null) this.#front = { ...this.#front, port: address.port };
    return this.#front.port;
  }

  issueCode(): string {
    this.#lastUse = this.#deps.clock.now();
    return this.#sessions.issueCode();
  }

  stop(): void {
    clearInterval(this.#idleTimer);
    this.#jobs.stop();
    this.#ticker.stop();
    this.#logFeed.stop();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #listen(where: { path: string } | { host: string; port: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(where, () => {
        this.#server.off("error", reject);
        this.#watchIdle();
        resolve();
      });
    });
  }

  #watchIdle(): void {
    const { idle } = this.#options;
    if (idle === undefined) return;
    this.#idleTimer = setInterval(() => {
      const isBusy = this.#underWay > 0 || this.#jobs.isRunning;
      if (isBusy || this.#deps.clock.now() - this.#lastUse < idle.afterMs) return;
      clearInterval(this.#idleTimer);
      idle.onIdle();
    }, idle.afterMs / IDLE_LOOKS);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#underWay++;
    response.once("close", () => {
      this.#underWay--;
      this.#lastUse = this.#deps.clock.now();
    });
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    try {
      const body = await this.#dispatch(request, response);
      if (body !== undefined) sendJson(response, 200, body);
    } catch (error) {
      this.#refuse(request, response, error);
    }
  }

  async #dispatch(request: IncomingMessage, response: ServerResponse): Promise<object | undefined> {
    const peer = admit(request, this.#front);
    // as it came: a URL parser would resolve `%2e%2e`
    const [pathname = "", search = ""] = (request.url ?? "/").split("?", 2);
    if (!pathname.startsWith(`${API_PREFIX}/`)) {
      if (!pathname.startsWith(`${PREFIX}/`)) {
        response.writeHead(302, { Location: `${PREFIX}/` }).end();
        return undefined;
      }
      const path = pathname.slice(PREFIX.length);
      await servePage(request, response, { path, dir: this.#deps.pagesDir });
      return undefined;
    }
    checkSameSite(request);
    const { route, params } = findRoute(request.method ?? "", pathname.slice(API_PREFIX.length));
    const cookie = cookieOf(request, this.#front);
    const session = this.#sessions.find(cookie);
    if (route.isOpen !== true && session === undefined) {
      throw new ApiError("NOT_SIGNED_IN", "Sign in first: clawkit console opens a way in");
    }
    if (session !== undefined && route.isOpen !== true && route.method !== "GET") {
      const token = request.headers[CSRF_HEADER];
      if (typeof token !== "string" || !isSame(token, session.csrf)) {
        throw new ApiError("FORBIDDEN", `A change needs the session's csrf in the header ${CSRF_HEADER}`);
      }
    }
    const call: Call = {
      ...this.#shared(),
      request,
      response,
      params,
      query: new URLSearchParams(search),
      peer,
      cookie,
      session,
    };
    return await route.handle(call);
  }

  #shared(): Shared {
    return {
      deps: this.#deps,
      front: this.#front,
      sessions: this.#sessions,
      jobs: this.#jobs,
      ticker: this.#ticker,
      logFeed: this.#logFeed,
      endCounts: this.#endCounts,
    };
  }

  #refuse(request: IncomingMessage, response: ServerResponse, thrown: unknown): void {
    const { status, error } = failureOf(thrown);
    if (status === 500) this.#deps.log(`console: ${request.method} failed: ${messageOf(thrown)}`);
    if (response.headersSent || response.destroyed) return void response.destroy();
    if (error.code === "LOCKED_OUT") response.setHeader("Retry-After", "60");
    sendJson(response, status, { ok: false, error });
    request.resume(); // a body nobody wants is read all the same: a reset would hide the answer
  }
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-store",
  });
  response.end(`${JSON.stringify(body)}\n`);
}
