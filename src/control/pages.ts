import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".json": "application/json",
  ".txt": "text/plain; charset=utf-8",
};

/** Names the build gives: no `..`, nothing hidden, nothing escaped. */
const NAME = /^[A-Za-z0-9_][\w-]*(\.[\w-]+)*$/;

const INDEX = "index.html";

/** The console's own files. A path without an extension is a page of the application, which reads it itself. */
export async function servePage(
  request: IncomingMessage,
  response: ServerResponse,
  page: { readonly path: string; readonly dir: string },
): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") return answer(response, 405, "GET it, please\n");
  const parts = page.path.split("/").filter((part) => part !== "");
  const isFile = extname(page.path) !== "";
  if (!parts.every((part) => NAME.test(part))) return answer(response, 404, "not found\n");
  const type = TYPES[isFile ? extname(page.path) : ".html"];
  const bytes =
    type === undefined
      ? undefined
      : await readFile(join(page.dir, ...(isFile ? parts : [INDEX]))).catch(() => undefined);
  if (bytes === undefined) return answer(response, 404, isFile ? "not found\n" : NO_PAGES);
  const isForever = parts[0] === "assets"; // their names have a hash of what is in them
  response.writeHead(200, {
    "Content-Type": type,
    "Content-Length": bytes.length,
    "Cache-Control": isForever ? "max-age=31536000, immutable" : "no-cache",
  });
  response.end(request.method === "HEAD" ? undefined : bytes);
}

const NO_PAGES =
  "The console's pages are not in this build. Its API is at /__clawkit__/api/v1/ (docs/control-api.md).\n";

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store" });
  response.end(text);
}
