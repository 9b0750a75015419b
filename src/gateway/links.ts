import { randomBytes } from "node:crypto";
import { CLOSE } from "../core/close-codes.ts";
import type { LinkList, LinkOffer } from "../protocol/link-protocol.ts";
import type { Commits } from "./commits.ts";
import { GatewayLink, type LinkHost, type LinkState } from "./gateway-link.ts";
import type { Caller } from "./handshake.ts";
import type { Journal } from "./journal/journal.ts";

export interface LinksDeps {
  readonly journal: Journal;
  readonly commits: Commits;
  /** A client is new: within the commit that makes its link. */
  readonly onMade: (link: GatewayLink) => void;
  /** The client left. True if it may come back, and nothing is forgotten. */
  readonly keeps: (link: GatewayLink, code?: number) => boolean;
  /** In the turn of the commit that forgets it, written or not. */
  readonly onEnded: (link: GatewayLink) => void;
}

/** The links of all clients, attached or not. */
export class Links {
  readonly #deps: LinksDeps;
  readonly #host: LinkHost;
  readonly #links = new Map<string, GatewayLink>();
  readonly #byKey = new Map<number, GatewayLink>();

  /** Takes up those of the gateway before. */
  constructor(deps: LinksDeps) {
    this.#deps = deps;
    this.#host = { ...deps, onEnded: (link, code) => this.#leave(link, code) };
    for (const row of deps.journal.links()) this.#add(new GatewayLink(row, this.#host));
  }

  get(key: number): GatewayLink | undefined {
    return this.#byKey.get(key);
  }

  [Symbol.iterator](): Iterator<GatewayLink> {
    return this.#links.values();
  }

  /**
   * Finds the link of an offer, or makes it if it is new. `found` is called once it is in the journal; with undefined if its position is
   * lost, or the journal cannot be written (`error`). Not within a commit.
   */
  open(
    offer: LinkOffer,
    caller: Caller,
    found: (link: GatewayLink | undefined, error?: unknown) => void,
  ): void {
    const { journal, commits } = this.#deps;
    const known = this.#links.get(offer.link);
    // what came over its last socket, and is not stored yet, would be sent again
    if (known !== undefined && known.arrived > known.stored) commits.flush();
    if (known !== undefined) return found(known.canAttach(offer.received) ? known : undefined);
    if (offer.received > 0 || offer.tried > 0) return found(undefined);
    let made: GatewayLink;
    commits.add({
      work: () => {
        const state: LinkState = { caller, nonce: randomBytes(16).toString("base64url") };
        const text = JSON.stringify(state);
        const key = journal.addLink(offer.link, text);
        made = new GatewayLink(
          { key, id: offer.link, stored: 0, emitted: 0, received: 0, seq: 0, state: text },
          this.#host,
        );
        this.#deps.onMade(made);
        commits.after(() => {
          this.#add(made);
          found(made);
        });
      },
      failed: (error) => found(undefined, error),
    });
  }

  /** Ends the links that are not attached and that no edge holds any more: now, as one of them may be about to begin anew. Not within a commit. */
  keepOnly(list: LinkList): void {
    const [held, closed] = [new Set(list.held), new Set(list.closed)];
    for (const link of this.#links.values()) {
      if (!link.isAttached && !held.has(link.id))
        this.#leave(link, closed.has(link.id) ? CLOSE.normal : undefined);
    }
    this.#deps.commits.flush();
  }

  #leave(link: GatewayLink, code?: number): void {
    const decide = () => {
      if (!this.#deps.keeps(link, code)) this.forget(link);
    };
    // in its turn: what the client sent before it left may be what makes it one that comes back
    this.#deps.commits.add({ work: decide, failed: decide });
  }

  /** Where that cannot be written now, it is later. */
  forget(link: GatewayLink): void {
    if (!this.#links.delete(link.id)) return;
    this.#byKey.delete(link.key);
    const { journal, commits, onEnded } = this.#deps;
    // in its turn: what the client sent before it left is still done
    const end = () => {
      link.isForgotten = true;
      onEnded(link);
    };
    const remove = () => journal.removeLink(link.key);
    commits.add({
      work: () => {
        remove();
        end();
      },
      failed: () => {
        commits.addLazy(remove);
        end();
      },
    });
  }

  detachAll(): void {
    for (const link of this.#links.values()) link.detach();
  }

  #add(link: GatewayLink): void {
    this.#links.set(link.id, link);
    this.#byKey.set(link.key, link);
  }
}
