import { rm } from "node:fs/promises";
import http from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { messageOf } from "../core/errors.ts";
import {
  LINKS_PATH,
  type LinkList,
  type LinkOffer,
  readOffer,
  storedHeader,
} from "../protocol/link-protocol.ts";
import { isSameSecret } from "./auth.ts";
import type { GatewayLink } from "./gateway-link.ts";
import type { Caller } from "./handshake.ts";
import type { Links } from "./links.ts";
import { type GatewayStatus, statusPage } from "./status-page.ts";

/** The real gateway's (knowledge: openclaw.md). */
const MAX_PAYLOAD_BEFORE_AUTH = 64 * 1024;

const MAX_LINKS_BYTES = 8 * 1024 * 1024;

export interface GatewayServerDeps {
  readonly socketPath: string;
  readonly edgeKey: string;
  readonly links: Links;
  readonly status: () => GatewayStatus;
  /** A link begins or goes on, if its socket does not fail before. */
  readonly onFound: (link: GatewayLink) => void;
  /** It does, over this socket. */
  readonly onAttached: (socket: WebSocket, link: GatewayLink, offer: LinkOffer) => void;
  /** A client cannot be let in, as nothing can be written. */
  readonly onUnwritable: (error: unknown) => void;
}

/** The local socket that the edge speaks to: the links of its clients, its list of them, and the status pages. */
export class GatewayServer {
  readonly #deps: GatewayServerDeps;
  readonly #server: http.Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_PAYLOAD_BEFORE_AUTH,
  });

  constructor(deps: GatewayServerDeps) {
    this.#deps = deps;
    this.#server = http.createServer((request, response) => this.#onRequest(request, response));
    this.#server.on("upgrade", (request, socket, head) => this.#onUpgrade(request, socket, head));
  }

  async listen(): Promise<void> {
    const { socketPath } = this.#deps;
    if (!socketPath.startsWith("\\\\")) await rm(socketPath, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ path: socketPath, backlog: 4096 }, resolve);
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #onRequest(request: http.IncomingMessage, response: http.ServerResponse): void {
    if (this.#callerOf(request) === undefined) {
      response.writeHead(403).end();
      return;
    }
    const path = (request.url ?? "/").split("?", 1)[0];
    const json = (status: number, body: object) => {
      response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
      response.end(`${JSON.stringify(body)}\n`);
    };
    switch (path) {
      case "/":
        response.writeHead(200, { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" });
        response.end(statusPage(this.#deps.status()));
        return;
      case "/healthz":
        return json(200, { ok: true, status: "live" });
      case "/startupz":
        return json(200, { ok: true, status: "started" });
      case "/readyz":
        return json(200, { ready: true, failing: [] });
      case LINKS_PATH:
        readList(request).then(
          (list) => {
            this.#deps.links.keepOnly(list);
            json(200, { ok: true });
          },
          (error) => json(400, { ok: false, error: messageOf(error) }),
        );
        return;
      default:
        return json(404, { ok: false, error: `no such page: ${path}` });
    }
  }

  /** Only our edge knows the key; it says who its client is. Undefined for anybody else. */
  #callerOf(request: http.IncomingMessage): Caller | undefined {
    const key = request.headers["x-clawkit-edge"];
    if (typeof key !== "string" || !isSameSecret(key, this.#deps.edgeKey)) return undefined;
    const forwarded = request.headers["x-forwarded-for"];
    if (typeof forwarded !== "string") return { address: "127.0.0.1", isLocal: true };
    // with a chain of trusted proxies the first entry is theirs to vouch for; the edge adds the last
    return { address: forwarded.split(",")[0]!.trim(), isLocal: false };
  }

  #onUpgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): void {
    const caller = this.#callerOf(request);
    const offer = readOffer(request.rawHeaders);
    if (caller === undefined) return refuseUpgrade(socket, "403 Forbidden");
    if (offer === undefined) return refuseUpgrade(socket, "400 Bad Request");
    this.#deps.links.open(offer, caller, (link, error) => {
      if (error !== undefined) {
        this.#deps.onUnwritable(error);
        return refuseUpgrade(socket, "503 Service Unavailable");
      }
      // its position is lost, or it never was in this journal
      if (link === undefined) return refuseUpgrade(socket, "410 Gone");
      this.#deps.onFound(link);
      const tellStored = (headers: string[]) => headers.push(storedHeader(link.stored));
      this.#sockets.on("headers", tellStored);
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) =>
        this.#deps.onAttached(webSocket, link, offer),
      );
      this.#sockets.off("headers", tellStored); // an upgrade that is refused emits none
    });
  }
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

async function readList(request: http.IncomingMessage): Promise<LinkList> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_LINKS_BYTES) throw new Error(`more than ${MAX_LINKS_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  const { held, closed } = JSON.parse(Buffer.concat(chunks).toString()) as Partial<LinkList>;
  const isIds = (ids: unknown) => Array.isArray(ids) && ids.every((id) => typeof id === "string");
  if (!isIds(held) || !isIds(closed)) throw new Error("no lists of ids");
  return { held: held!, closed: closed! };
}
