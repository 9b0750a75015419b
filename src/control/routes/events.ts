import { ApiError } from "../api-error.ts";
import { streamOf } from "../event-stream.ts";
import type { Call, Route } from "../route.ts";

export const eventRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/events",
    what: "events `tick` (every 2 s: state, connections, the newest sample) and `incident` (one that is new or has changed)",
    handle: events,
  },
];

async function events(call: Call): Promise<undefined> {
  const { ticker } = call;
  if (!ticker.hasRoom) throw new ApiError("BUSY", "Too many consoles are open: close one");
  ticker.add(streamOf(call));
  return undefined;
}
