import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { API_PREFIX, CSRF_HEADER } from "../../src/control/contract.ts";
import { ENTRY } from "../relay/proxies/run-clawkit.ts";
import type { RunningServer } from "../relay/proxies/run-server.ts";

/** Where `clawkit console` leads a browser: with a code that is good once. */
export async function wayIn({ folder }: RunningServer): Promise<string> {
  const env = { ...process.env, CLAWKIT_STATE_DIR: folder };
  const { stdout } = await promisify(execFile)(process.execPath, [ENTRY, "console", "--json"], { env });
  return (JSON.parse(stdout) as { url: string }).url;
}

/** Somebody who is signed in, and does with the API what a page of the console does. */
export class Visitor {
  readonly #base: string;
  readonly #headers: Record<string, string>;
  readonly #left = new AbortController();
  readonly #doing: Promise<void>[] = [];

  private constructor(base: string, headers: Record<string, string>) {
    this.#base = base;
    this.#headers = headers;
  }

  static async signIn(server: RunningServer): Promise<Visitor> {
    const base = `http://127.0.0.1:${server.port}${API_PREFIX}`;
    const code = new URL(await wayIn(server)).hash.replace(/^#(code=)?/, "");
    const response = await fetch(`${base}/session`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code }),
    });
    if (!response.ok) throw new Error(`Cannot sign in: ${response.status} ${await response.text()}`);
    const { csrf } = (await response.json()) as { csrf: string };
    const cookie = response.headers.getSetCookie()[0]!.split(";")[0]!;
    return new Visitor(base, { Cookie: cookie, [CSRF_HEADER]: csrf });
  }

  /** The whole answer, its events too, as text. */
  async ask(path: string, method: "GET" | "POST" = "GET"): Promise<string> {
    const response = await this.#fetch(path, method);
    return await response.text();
  }

  /** Reads a stream of events until `leave`. */
  hold(path: string): void {
    this.#does(async () => {
      const response = await this.#fetch(path, "GET");
      for await (const _ of response.body!);
      throw new Error(`${path} ended`);
    });
  }

  /** Asks again and again, as `useResource` of the pages does. */
  repeat(path: string, everyMs: number, firstAfterMs: number): void {
    this.#does(async () => {
      const { signal } = this.#left;
      await sleep(firstAfterMs, undefined, { signal });
      for (;;) await Promise.all([this.ask(path), sleep(everyMs, undefined, { signal })]);
    });
  }

  /** Throws what kept it from doing what it was to do. */
  async leave(): Promise<void> {
    this.#left.abort();
    await Promise.all(this.#doing);
  }

  #does(work: () => Promise<never>): void {
    const done = work().catch((error: unknown) => {
      if (!this.#left.signal.aborted) throw error;
    });
    done.catch(() => undefined); // `leave` tells it
    this.#doing.push(done);
  }

  async #fetch(path: string, method: "GET" | "POST"): Promise<Response> {
    const response = await fetch(this.#base + path, {
      method,
      headers: { ...this.#headers, ...(method === "POST" && { "Content-Type": "application/json" }) },
      ...(method === "POST" && { body: "{}" }),
      signal: this.#left.signal,
    });
    if (response.ok) return response;
    throw new Error(`${path} was answered with ${response.status}: ${await response.text()}`);
  }
}
