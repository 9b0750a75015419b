import type { RunningServer } from "../relay/proxies/run-server.ts";
import { Visitor } from "./visitor.ts";

/** What the pages ask for, and how often (console/src/pages). */
const OVERVIEW = { path: "/overview?hours=24", everyMs: 10_000 };
const CONNECTIONS = {
  path: "/connections?state=live&sort=since&order=desc&q=&offset=0&limit=50",
  everyMs: 2_000,
};
const LOGS = "/logs/events?source=all&level=info&q=&limit=500";

/** Five times the overview, five times the table of connections; one of them has the logs open as well. */
const OF_EACH = 5;

export const CONSOLES = 2 * OF_EACH;

/** Ten consoles, each in a session of its own. */
export async function openConsoles(server: RunningServer): Promise<{ close(): Promise<void> }> {
  const visitors: Visitor[] = [];
  for (let number = 0; number < CONSOLES; number++) {
    const visitor = await Visitor.signIn(server);
    visitors.push(visitor);
    visitor.hold("/events");
    const { path, everyMs } = number < OF_EACH ? OVERVIEW : CONNECTIONS;
    // people do not open their pages in step
    visitor.repeat(path, everyMs, ((number % OF_EACH) * everyMs) / OF_EACH);
  }
  visitors[0]!.hold(LOGS);
  return {
    close: async () => {
      await Promise.all(visitors.map((visitor) => visitor.leave()));
    },
  };
}
