import { Child } from "../child.ts";
import { findFreePort } from "../free-port.ts";
import { environmentOf, type Launch } from "./types.ts";

export interface Command {
  /** Program and arguments; `{port}` is replaced. */
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A free port is found before anything is started; `launch` then cannot fail. */
export async function prepareCommand({ words, env }: Command): Promise<Launch> {
  const port = await findFreePort();
  return (request) => {
    const [program, ...args] = words.map((word) => word.replaceAll("{port}", String(port)));
    const child = new Child({
      ...request.deps,
      command: program!,
      args,
      env: { ...environmentOf(request), ...env, PORT: String(port) },
      ipc: false,
      ownGroup: true,
    });
    const run = {
      generation: request.generation,
      address: { kind: "url", url: `ws://127.0.0.1:${port}` },
      ...(child.pid === undefined ? {} : { pid: child.pid }),
    } as const;
    return { child, run, command: words.join(" ") };
  };
}
