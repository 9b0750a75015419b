import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { ask } from "./http.ts";

export const API = "/__clawkit__/api/v1";

export interface Signed {
  readonly [name: string]: string;
}

/** What `clawkit console --json` prints of a way in. */
export interface WayIn {
  readonly url: string;
  readonly servedBy: string;
}

export function codeOf({ url }: WayIn): string {
  return new URLSearchParams(new URL(url).hash.slice(1)).get("code")!;
}

export async function signIn(port: number, body: object, headers: object = {}) {
  const answer = await ask(port, `${API}/session`, {
    method: "POST",
    headers: { Host: `127.0.0.1:${port}`, "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const json = JSON.parse(answer.body.toString()) as { csrf: string };
  const cookie = answer.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
  return { status: answer.status, headers: { Cookie: cookie, "X-Clawkit-Csrf": json.csrf } as Signed };
}

export async function get<T>(port: number, path: string, headers: Signed): Promise<T> {
  const answer = await ask(port, API + path, { headers });
  assert.equal(answer.status, 200, `${path}: ${answer.body.toString()}`);
  return JSON.parse(answer.body.toString()) as T;
}

/** Reads server-sent events until one is as wanted. */
export async function untilEvent<T>(
  incoming: IncomingMessage,
  wanted: (event: string, data: T) => boolean,
): Promise<T> {
  let text = "";
  for await (const chunk of incoming) {
    text += String(chunk);
    const blocks = text.split("\n\n");
    text = blocks.pop()!;
    for (const block of blocks) {
      const match = /^event: (.*)\ndata: (.*)$/.exec(block);
      if (match === null) continue;
      const data = JSON.parse(match[2]!) as T;
      if (wanted(match[1]!, data)) return data;
    }
  }
  throw new Error(`the events ended: ${text}`);
}

/** Reads one answer to a change. */
export async function post<T>(port: number, path: string, headers: Signed, body: object): Promise<T> {
  const answer = await ask(port, API + path, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  assert.equal(answer.status, 200, `${path}: ${answer.body.toString()}`);
  return JSON.parse(answer.body.toString()) as T;
}
