import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import type { ConnectionTrack } from "./connection-log.ts";
import type { GatewayMonitor } from "./gateway-monitor.ts";
import type { Link } from "./link.ts";
import { Resumption } from "./resumption.ts";

/** A gateway that is up, and whose journal cannot be written; and what it was told. */
async function startUnwritable(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "clawkit-resumption-"));
  const path = process.platform === "win32" ? `\\\\.\\pipe\\${basename(folder)}` : join(folder, "socket");
  const told: unknown[] = [];
  const gateway = http.createServer(async (request, response) => {
    told.push(JSON.parse(await text(request)));
    response.end();
    gateway.emit("told");
  });
  gateway.on("upgrade", (_request, socket) => {
    socket.end("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    gateway.emit("asked");
  });
  gateway.listen(path);
  await once(gateway, "listening");
  const run = { generation: 2, address: { kind: "socket", path }, resumes: true };
  const links = new Map<Link, ConnectionTrack>();
  const monitor = { run, state: "ready" } as unknown as GatewayMonitor;
  const resumption = new Resumption({ links, monitor, log: () => undefined });
  t.after(async () => {
    resumption.stop();
    gateway.close();
    gateway.closeAllConnections();
    await rm(folder, { recursive: true });
  });
  /** The link is over: resolves when the gateway is told. */
  const ends = async (link: Link, closed?: string) => {
    links.delete(link);
    const toldAgain = once(gateway, "told", { signal: AbortSignal.timeout(5_000) });
    resumption.ended(link, closed);
    await toldAgain;
  };
  return { gateway, told, links, resumption, ends };
}

function linkOf(state: Partial<Pick<Link, "isDetached" | "isOpen">>): Link {
  const offer = { received: 1, tried: 0, stale: 0 };
  return { generation: 1, isOpen: true, isDetached: true, offer, ...state } as unknown as Link;
}

const track = { id: "a" } as unknown as ConnectionTrack;

test("a gateway is told again when a client leaves before its link is attached", async (t) => {
  const { gateway, told, links, resumption, ends } = await startUnwritable(t);
  const link = linkOf({});
  links.set(link, track);
  const asked = once(gateway, "asked");
  resumption.detached(link);
  await asked;
  await ends(link, "a");
  assert.deepEqual(told, [
    { held: ["a"], closed: [] },
    { held: [], closed: ["a"] },
  ]);
});

// its client was told to leave and has not answered yet: it was in the presence list until the next gateway
test("a link that is about to end is not held, and its end is told", async (t) => {
  const { gateway, told, links, resumption, ends } = await startUnwritable(t);
  const link = linkOf({ isDetached: false, isOpen: false });
  links.set(link, track);
  const firstTold = once(gateway, "told");
  resumption.detached(link);
  await firstTold;
  await ends(link, "a");
  assert.deepEqual(told, [
    { held: [], closed: [] },
    { held: [], closed: ["a"] },
  ]);
});

test("the end of a link that this gateway could not be given is told to it", async (t) => {
  const { gateway, told, links, resumption, ends } = await startUnwritable(t);
  const link = linkOf({});
  links.set(link, track);
  const firstTold = once(gateway, "told");
  resumption.gatewayReady();
  await firstTold;
  await ends(link);
  assert.deepEqual(told, [
    { held: ["a"], closed: [] },
    { held: [], closed: [] },
  ]);
});
