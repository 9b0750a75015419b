import { once } from "node:events";
import { readFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import type { TestContext } from "node:test";
import { freePort } from "./clawkit.ts";
import { TestCertificate } from "./tls.ts";

/** Listens until the test is over, its connections included; returns the port. */
export async function serve(t: TestContext, server: net.Server, host = "127.0.0.1"): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket) => sockets.add(socket.on("error", () => undefined)));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  server.listen({ port: await freePort(), host, ipv6Only: true });
  await once(server, "listening");
  return (server.address() as net.AddressInfo).port;
}

/** A server of plain TCP. */
export function tcp(onSocket: (socket: net.Socket) => void): net.Server {
  return net.createServer(onSocket);
}

/** Answers paths with a status and a body; the others with 404. */
export function pages(
  answers: Readonly<Record<string, readonly [status: number, body: string]>>,
): http.Server {
  return http.createServer((request, response) => {
    const [status, body] = answers[request.url!] ?? [404, "not found"];
    response.writeHead(status, { "content-length": Buffer.byteLength(body) }).end(body);
  });
}

/** A certificate and its key for a server; undefined, and the test is skipped, where none can be made. */
export async function certificate(t: TestContext): Promise<{ cert: string; key: string } | undefined> {
  const made = await TestCertificate.make();
  if (typeof made === "string") {
    t.skip(made);
    return undefined;
  }
  t.after(() => made[Symbol.asyncDispose]());
  return { cert: made.pem, key: await readFile(made.key, "utf8") };
}
