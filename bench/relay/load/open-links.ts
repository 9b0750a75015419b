import { echoBytes } from "./frames.ts";
import { type Link, type LinkOptions, openLink } from "./link.ts";
import type { LoadOptions } from "./options.ts";

/** Handshakes under way at once: below every default accept backlog (511), so none is refused. */
const AT_ONCE = 100;

/** Opens all the links of a run. A link that fails later ends the process through `failed`. */
export async function openLinks(options: LoadOptions, echoed: LinkOptions["echoed"]): Promise<Link[]> {
  const { port, connections, payload } = options;
  const links: Link[] = [];
  let begun = 0;
  const opener = async () => {
    while (begun++ < connections) {
      links.push(await openLink({ port, echoBytes: echoBytes(payload), echoed, failed }));
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, connections) }, opener));
  return links;
}

/** Closes without a word: nothing is under way any more. */
export function closeLinks(links: readonly Link[]): void {
  for (const { socket } of links) socket.removeAllListeners("end").destroy();
}

function failed(error: Error): void {
  console.error(error.message);
  process.exit(1);
}
