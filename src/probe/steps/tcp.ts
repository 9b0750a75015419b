import type { Socket } from "node:net";
import { connectTcp } from "../sockets.ts";
import type { Step } from "../types.ts";

export interface Connected {
  readonly step: Step;
  /** The first address that answered. */
  readonly socket: Socket | undefined;
  readonly address: string | undefined;
}

const MEANINGS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refused: nothing listens there, or a firewall says so (REJECT)",
  ETIMEDOUT: "no answer: a firewall drops it, or the machine is away",
  EHOSTUNREACH: "no route to the host: it is off, or a router says it is not there",
  ENETUNREACH: "no route to the network: this machine has none of that kind",
  EHOSTDOWN: "no answer on its own network: it is off",
  EADDRNOTAVAIL: "this machine has no address of that kind",
  ECONNRESET: "reset: something took it and threw it out",
  EACCES: "not allowed: a firewall of this machine",
};

/** Tries all addresses: that one family works does not say that a client takes it. */
export async function connect(
  addresses: readonly string[],
  port: number,
  signal: AbortSignal,
): Promise<Connected> {
  const tried = await Promise.all(
    addresses.map(async (address) => {
      const startedAt = performance.now();
      try {
        const socket = await connectTcp(address, port, signal);
        return { address, socket, ms: performance.now() - startedAt, error: undefined };
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? String(error);
        return { address, socket: undefined, ms: performance.now() - startedAt, error: code };
      }
    }),
  );
  const first = tried.find(({ socket }) => socket !== undefined);
  for (const { socket } of tried) if (socket !== first?.socket) socket?.destroy();
  const told = tried.map(({ address, error, ms }) =>
    error === undefined ? `${address} in ${ms.toFixed(1)} ms` : `${address} ${MEANINGS[error] ?? error}`,
  );
  const failed = tried.filter(({ error }) => error !== undefined).length;
  const verdict = first === undefined ? "failed" : failed > 0 ? "warn" : "ok";
  const hint = verdict === "warn" ? "; clients that try that address first wait, or fail" : "";
  const step: Step = {
    id: "tcp",
    verdict,
    ms: first?.ms ?? Math.max(...tried.map(({ ms }) => ms)),
    detail: `port ${port}: ${told.join("; ")}${hint}`,
    data: { addresses: tried.map(({ address, error, ms }) => ({ address, ms, error: error ?? null })) },
  };
  return { step, socket: first?.socket, address: first?.address };
}
