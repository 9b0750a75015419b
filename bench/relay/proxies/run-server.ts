import { startChild } from "../../lib/child.ts";
import { processTree } from "../../lib/process-tree.ts";
import { untilUpgraded } from "../../lib/ready.ts";
import { temporaryFolder } from "../../lib/temporary.ts";
import type { RunningProxy } from "./proxy.ts";

/** How long a server may take to say its ready line, in ms. */
const START_MS = 15_000;

export interface ServerOptions {
  readonly name: string;
  readonly port: number;
  readonly signal: AbortSignal;
  /** Wait for a stdout line containing this before the first handshake. */
  readonly readyLine?: string;
}

export interface RunningServer extends RunningProxy {
  readonly folder: string;
}

/** Starts a server in the foreground, with a folder of its own that goes when it stops. */
export async function runServer(
  { name, port, signal, readyLine }: ServerOptions,
  commandIn: (folder: string) => { command: string; args: string[] },
): Promise<RunningServer> {
  const folder = temporaryFolder(name);
  try {
    const child = await startChild({ name, ...commandIn(folder.path) });
    try {
      if (readyLine) {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(START_MS)]);
        await child.line((line) => line.includes(readyLine), limit);
      }
      await untilUpgraded(port, child, signal);
    } catch (error) {
      await child.stop();
      throw error;
    }
    const stop = async () => {
      await child.stop();
      folder.remove();
    };
    return { port, folder: folder.path, pids: () => processTree(child.pid), stop };
  } catch (error) {
    folder.remove();
    throw error;
  }
}
